import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** One running relay, or one end of a chain. */
export interface Running {
  readonly pid: number;
  /** Where it listens on the loopback; 0 if it does not. */
  readonly port: number;
  stop(): Promise<void>;
}

/** For configurations and the compiled program; removed at exit. */
export const folder = mkdtempSync(join(tmpdir(), 'viaduct-bench-'));

const START_LIMIT_MS = 10_000;
/** Descriptors that are asked for; where the hard limit is lower and may not be raised, that is what there is. */
const DESCRIPTORS = 65_536;
const children = new Set<ChildProcess>();

process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));

/** Starts a program that prints a line when it is ready. The pattern's first group is its port, if it has one. */
export async function startPrinting(
  command: string,
  args: readonly string[],
  pattern: RegExp,
): Promise<Running> {
  const child = start(command, args, 'pipe');
  let output = '';
  const port = await new Promise<number>((resolve, reject) => {
    const look = (text: Buffer): void => {
      output += text.toString();
      const found = pattern.exec(output);
      if (found) resolve(Number(found[1] ?? 0));
    };
    child.stdout?.on('data', look);
    child.stderr?.on('data', look);
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`${command} ended before it was ready: ${output}`)));
  });
  return running(child, port);
}

/** Starts a program on a port that we chose for it, and waits until it listens. */
export async function startListening(
  command: string,
  args: readonly string[],
  port: number,
): Promise<Running> {
  const child = start(command, args, 'ignore');
  let complaints = '';
  child.stderr?.on('data', (text: Buffer) => (complaints += text.toString()));
  const deadline = performance.now() + START_LIMIT_MS;
  while (!(await accepts(port))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      throw new Error(`${command} ${args.join(' ')} did not start: ${complaints}`);
    }
    await delay(20);
  }
  return running(child, port);
}

/** `sh` raises the limit of descriptors and then becomes the program. */
function start(command: string, args: readonly string[], stdout: 'pipe' | 'ignore'): ChildProcess {
  const script = `ulimit -n ${DESCRIPTORS} 2>/dev/null; exec "$0" "$@"`;
  const child = spawn('sh', ['-c', script, command, ...args], { stdio: ['ignore', stdout, 'pipe'] });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

/** Longer than any command of the bench takes. */
const RUN_LIMIT_MS = 600_000;

/** Runs a command to its end. @throws what it complained of, if it failed */
export async function runToEnd(command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: RUN_LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  children.add(child);
  let complaints = '';
  child.stderr.on('data', (text: Buffer) => (complaints += text.toString()));
  await once(child, 'close');
  children.delete(child);
  const { exitCode, signalCode } = child;
  if (exitCode === 0) return;
  throw new Error(`${command} ${args.join(' ')} ended with ${exitCode ?? signalCode}: ${complaints}`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('a TCP listener has a port');
  return address.port;
}

function running(child: ChildProcess, port: number): Running {
  return {
    pid: child.pid ?? 0,
    port,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}
