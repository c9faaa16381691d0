// How fast a file comes through the gateway of `viaduct open`, beside `viaduct get` over the same route.
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { repeatedBlock } from './get.js';
import { type Running, folder, runToEnd } from './processes.js';
import { type Spread, median, pairedRounds, ratio } from './rounds.js';
import { fixed, spread, table } from './table.js';
import { PROGRAM, STATE, startNodeProcess } from './viaduct.js';

/** Between the client and the origin. */
const RELAYS = 3;

export interface Open {
  readonly rounds: number;
  readonly client: string;
  /** Of whole commands, median over the rounds. */
  readonly bytesPerSecond: number;
  /** The throughput of this client over that of `viaduct get`, round by round. */
  readonly ratio: Spread;
}

/** A program and its arguments. */
type Command = readonly [string, ...string[]];

/** All clients in turn, from the same origin. */
export async function measureOpen(rounds: number, bytes: number): Promise<Open[]> {
  const file = join(folder, 'open');
  await pipeline(Readable.from(repeatedBlock(bytes)), createWriteStream(file));
  const nodes: Running[] = [];
  let gateway: ChildProcess | undefined;
  try {
    for (let node = 0; node <= RELAYS; node += 1) nodes.push(await startNodeProcess({ root: folder }));
    const where = `${nodes.map(({ port }) => `127.0.0.1:${port}`).join('/@')}/open`;
    const trust = ['--accept-new', '--state', STATE];
    gateway = spawn(process.execPath, [PROGRAM, 'open', '--no-browser', ...trust, where], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const url = await firstLine(gateway);
    const get: Command = [process.execPath, PROGRAM, 'get', '-q', ...trust, '-o', '/dev/null', where];
    const commands = new Map<string, Command>([
      ['viaduct get', get],
      ['viaduct get --no-verify', [...get, '--no-verify']],
      ['curl, viaduct open', ['curl', '-sSf', '-o', '/dev/null', url]],
    ]);
    // The origin has the SHA-256 afterwards.
    for (const command of commands.values()) await seconds(command);
    const results = await pairedRounds(commands, rounds, seconds);
    const ofGet = results.get('viaduct get') ?? [];
    return [...results].map(([client, taken]) => ({
      rounds,
      client,
      bytesPerSecond: bytes / median(taken),
      ratio: ratio(ofGet, taken),
    }));
  } finally {
    gateway?.kill('SIGKILL');
    await Promise.all(nodes.map((node) => node.stop()));
    rmSync(file, { force: true });
  }
}

/** @throws if the process ends before */
async function firstLine({ stdout }: ChildProcess): Promise<string> {
  if (stdout !== null) for await (const line of createInterface(stdout)) return line;
  throw new Error('viaduct open ended before it printed a URL');
}

async function seconds([program, ...args]: Command): Promise<number> {
  const startedAt = performance.now();
  await runToEnd(program, args);
  return (performance.now() - startedAt) / 1000;
}

export function openTable(rows: readonly Open[]): string {
  return table(
    ['client', 'GB/s', 'it ÷ get'],
    rows.map((row) => [row.client, fixed(row.bytesPerSecond / 1e9, 2), spread(row.ratio)]),
  );
}
