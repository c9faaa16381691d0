import type { SpawnOptions } from 'node:child_process';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Child, PROGRAM } from '../support/processes.js';

/** A Python script in the source folder, since the compiler does not copy it. */
const DRIVER = fileURLToPath(new URL('../../../test/cli/on_terminal.py', import.meta.url));

const VIADUCT = [process.execPath, PROGRAM];

export interface TerminalOptions extends SpawnOptions {
  readonly columns?: number;
  /** A command other than viaduct. */
  readonly command?: readonly string[];
  /** Files to which a stream is redirected. */
  readonly stdoutTo?: string;
  readonly stderrTo?: string;
}

/** Runs viaduct on a pseudo-terminal: `stdout` of the child is the output of the terminal, its stdin is typed there. */
export function onTerminal(t: TestContext, args: readonly string[], options: TerminalOptions = {}): Child {
  const { columns = 80, command = VIADUCT, stdoutTo, stderrTo, ...spawnOptions } = options;
  const driverArgs = ['--columns', String(columns)];
  if (stdoutTo !== undefined) driverArgs.push('--stdout', stdoutTo);
  if (stderrTo !== undefined) driverArgs.push('--stderr', stderrTo);
  const env = { ...(spawnOptions.env ?? process.env), TERM: 'xterm' };
  return new Child(t, 'python3', [DRIVER, ...driverArgs, ...command, ...args], { ...spawnOptions, env });
}
