// The two ends of a chain: `load.c`, compiled once.
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Running, folder, startPrinting } from './processes.js';

/** Where to send what, to be answered through every relay of a chain. */
export interface Target {
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
  { port, message }: Target,
  flows: number,
  bytes: number,
): Promise<{ readonly seconds: number; readonly each: readonly number[] }> {
  const [seconds = NaN, ...each] = await load('sink', port, message, flows, bytes);
  return { seconds, each };
}

/** Fetches `count` replies, `atOnce` at a time, a connection for each. Seconds of all together, median of one. */
export async function fetchReplies(
  { port, message }: Target,
  bytes: number,
  atOnce: number,
  count: number,
): Promise<{ readonly seconds: number; readonly median: number }> {
  const [seconds = NaN, median = NaN] = await load('replies', port, message, bytes, atOnce, count);
  return { seconds, median };
}

/** Opens so many connections, sends the message on each, and holds them; `stop` resets them. */
export const hold = ({ port, message }: Target, count: number): Promise<Running> =>
  startPrinting(program, ['hold', String(port), message, String(count)], /held/);

async function load(...args: readonly (string | number)[]): Promise<number[]> {
  const { stdout } = await promisify(execFile)(program, args.map(String));
  return stdout.trim().split(' ').map(Number);
}
