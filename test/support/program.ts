import { Readable, Writable } from 'node:stream';
import type { CommandContext } from '#src/cli/context.js';
import { runProgram } from '#src/cli/program.js';
import './identity.js';
import type { ClientRun } from './processes.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs the program to its end like `runViaduct`, but in this process, which takes a few milliseconds instead of
 * a few hundred. For what is parsed and printed; not for signals, terminals or the process itself.
 */
export async function runInProcess(
  args: readonly string[],
  options: {
    readonly cwd?: string;
    readonly input?: string;
    /** Variables besides those of the process. */
    readonly env?: Readonly<Record<string, string>>;
  } = {},
): Promise<ClientRun> {
  const stdout = new TextStream();
  const stderr = new TextStream();
  const stdin = Readable.from(options.input === undefined ? [] : [Buffer.from(options.input)]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a pipe has no more members that commands use
  const context = { stdin, stdout, stderr, exitCode: undefined } as unknown as CommandContext;
  const cwd = process.cwd();
  const listeners = SIGNALS.map((signal) => process.listeners(signal));
  if (options.cwd !== undefined) process.chdir(options.cwd);
  const before = Object.keys(options.env ?? {}).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, options.env);
  try {
    await runProgram(args, context);
  } finally {
    process.chdir(cwd);
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    // A process that ends removes none of its own.
    for (const [index, signal] of SIGNALS.entries()) {
      for (const listener of process.listeners(signal)) {
        if (!listeners[index]?.includes(listener)) process.off(signal, listener);
      }
    }
  }
  return { code: Number(context.exitCode ?? 0), stdout: stdout.text, stderr: stderr.text };
}

/** An end of a pipe that keeps what is written. */
class TextStream extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}
