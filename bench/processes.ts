import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** CPU and memory of a process and its children, from proc(5). */
interface Usage {
  readonly cpuSeconds: number;
  readonly peakRssBytes: number;
}

/** One running relay or origin. */
export interface Running {
  readonly port: number;
  usage(): Usage;
  stop(): Promise<void>;
}

/** USER_HZ, which Linux has fixed at 100 for everything in proc(5). */
const TICKS_PER_SECOND = 100;
const START_LIMIT_MS = 10_000;

/** Starts a program of ours that prints a line with its port. */
export async function startPrinting(
  command: string,
  args: readonly string[],
  pattern: RegExp,
): Promise<Running> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const port = await new Promise<number>((resolve, reject) => {
    const look = (text: Buffer): void => {
      output += text.toString();
      const found = pattern.exec(output);
      if (found) resolve(Number(found[1]));
    };
    child.stdout.on('data', look);
    child.stderr.on('data', look);
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`${command} ended before it was ready: ${output}`)));
  });
  return running(child, port);
}

/** Starts a foreign program on a port that we chose for it, and waits until it listens. */
export async function startListening(
  command: string,
  args: readonly string[],
  port: number,
): Promise<Running> {
  const child = spawn(command, args, { stdio: 'ignore' });
  const deadline = performance.now() + START_LIMIT_MS;
  while (!(await accepts(port))) {
    if (child.exitCode !== null || performance.now() > deadline) throw new Error(`${command} did not start`);
    await delay(20);
  }
  return running(child, port);
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
  const pid = child.pid ?? 0;
  return {
    port,
    usage: () => usageOf(pid),
    stop: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await ended;
    },
  };
}

function usageOf(pid: number): Usage {
  // Fields after the command in parentheses; utime, stime, cutime and cstime are the 14th to 17th of the
  // whole line. The last two are of children that have ended, as socat has one for each connection.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  const own = {
    cpuSeconds:
      fields
        .slice(11, 15)
        .map(Number)
        .reduce((sum, ticks) => sum + ticks, 0) / TICKS_PER_SECOND,
    peakRssBytes: Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024,
  };
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  return children
    .map((child) => usageOf(Number(child)))
    .reduce(
      (sum, usage) => ({
        cpuSeconds: sum.cpuSeconds + usage.cpuSeconds,
        peakRssBytes: sum.peakRssBytes + usage.peakRssBytes,
      }),
      own,
    );
}
