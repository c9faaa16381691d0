import { createInterface } from 'node:readline';
import { ViaductError } from '../../errors.js';
import { parsePort } from '../../route/hop.js';
import { visible } from '../../text.js';

/** The port as the user gave it, or, without one, as the original asks for it. 0 means a free one. */
export async function portFrom(argument: string | undefined): Promise<number> {
  const text = (argument ?? (await ask('Enter the port no. : '))).trim();
  const port = parsePort(text, 0);
  if (port === undefined) throw new ViaductError('USAGE', `"${visible(text)}" is not a port (0 to 65535)`);
  return port;
}

/** One line of standard input, a terminal or a pipe. */
async function ask(question: string): Promise<string> {
  process.stdout.write(question);
  const lines = createInterface({ input: process.stdin });
  try {
    for await (const line of lines) return line;
  } finally {
    lines.close();
  }
  throw new ViaductError('USAGE', 'standard input ended before a port was given');
}
