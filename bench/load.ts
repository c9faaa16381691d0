// The two ends of a chain: `load.c`, compiled once.
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Running, folder, startPrinting } from './processes.js';

/** Where to send what, to be answered through every relay of a chain. */
export interface Target {
  /** Who relays, for errors. */
  readonly name: string;
  readonly port: number;
  readonly message: string;
}

const program = join(folder, 'load');

/** @throws if there is no C compiler, or it does not like the program */
export function compileLoad(): void {
  const source = fileURLToPath(new URL('../../bench/load.c', import.meta.url));
  const { error, status, stderr } = spawnSync('cc', ['-O2', '-pthread', '-o', program, source]);
  if (error) throw new Error('the bench needs a C compiler named cc (Debian: apt-get install gcc libc6-dev)');
  if (status !== 0) throw new Error(`cc could not compile ${source}:\n${stderr.toString()}`);
}

/** Answers everybody with so many bytes. */
export const startOrigin = (bytes: number): Promise<Running> =>
  startPrinting(program, ['origin', String(bytes)], /port (\d+)/);

/** Accepts everybody and answers nobody. */
export const startSilentOrigin = (): Promise<Running> => startPrinting(program, ['silent'], /port (\d+)/);

/** The least that a relay can be. */
export const startSpliceRelay = (nextPort: number): Promise<Running> =>
  startPrinting(program, ['relay', String(nextPort)], /port (\d+)/);

/** Fetches so many replies at once, and drops them. Seconds from dialling to FIN, of all together and of each. */
export async function fetchFlows(
  target: Target,
  flows: number,
  bytes: number,
): Promise<{ readonly seconds: number; readonly each: readonly number[] }> {
  const [seconds = NaN, ...each] = await load('sink', target, flows, bytes);
  return { seconds, each };
}

/** Fetches `count` replies, `atOnce` at a time, a connection for each. Seconds of all together, median of one. */
export async function fetchReplies(
  target: Target,
  bytes: number,
  atOnce: number,
  count: number,
): Promise<{ readonly seconds: number; readonly median: number }> {
  const [seconds = NaN, median = NaN] = await load('replies', target, bytes, atOnce, count);
  return { seconds, median };
}

/** Opens so many connections, sends the message on each, and holds them; `stop` resets them. */
export const hold = ({ port, message }: Target, count: number): Promise<Running> =>
  startPrinting(program, ['hold', String(port), message, String(count)], /held/);

async function load(mode: string, target: Target, ...args: readonly number[]): Promise<number[]> {
  const { name, port, message } = target;
  return new Promise((resolve, reject) => {
    execFile(program, [mode, String(port), message, ...args.map(String)], (error, stdout, stderr) => {
      if (error) reject(new Error(`${name}: ${stderr.trim() || error.message}`));
      else resolve(stdout.trim().split(' ').map(Number));
    });
  });
}
