import { createInterface } from 'node:readline';
import { ViaductError } from '../../errors.js';
import { parsePort } from '../../route/hop.js';
import { visible } from '../../text.js';
import type { CommandContext } from '../context.js';

/** The port from the argument or, without one, from a prompt as in the original program. 0 means any free port. */
export async function portFrom(argument: string | undefined, context: CommandContext): Promise<number> {
  const text = (argument ?? (await ask('Enter the port no. : ', context))).trim();
  const port = parsePort(text, 0);
  if (port === undefined) throw new ViaductError('USAGE', `"${visible(text)}" is not a port (0 to 65535)`);
  return port;
}

/** Reads one line of standard input, from a terminal or a pipe. */
async function ask(question: string, { stdin, stdout }: CommandContext): Promise<string> {
  stdout.write(question);
  const lines = createInterface({ input: stdin });
  try {
    for await (const line of lines) return line;
  } finally {
    lines.close();
  }
  throw new ViaductError('USAGE', 'standard input ended before a port was entered');
}
