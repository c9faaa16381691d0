// How fast a file comes from a far node onto the disk here: viaduct's own client beside curl, over the same route.
import { randomBytes } from 'node:crypto';
import { createWriteStream, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { missingOf } from './peers.js';
import { type Running, folder, runToEnd } from './processes.js';
import { type Spread, median, pairedRounds, ratio } from './rounds.js';
import { fixed, spread, table } from './table.js';
import { endedChildrenCpuSeconds } from './usage.js';
import { PROGRAM, startNodeProcess } from './viaduct.js';

const GIB = 1024 ** 3;
const RELAYS = 2;

export interface Get {
  readonly rounds: number;
  readonly client: string;
  /** From the start of the first command to the end of the last, median over the rounds. */
  readonly bytesPerSecond: number;
  /** The throughput of `viaduct get` over this client's, round by round. */
  readonly ratio: Spread;
  /** Of the client's own processes, start included. */
  readonly cpuSecondsPerGiB: number;
}

/** A program and its arguments. */
type Command = readonly [string, ...string[]];

/** A way to save a URL as a file. */
interface Client {
  readonly name: string;
  /** The origin does not know the SHA-256 of the file, and has to make it beside the transfer. */
  readonly isFirst?: true;
  /** One after the other. */
  commands(url: string, target: string): readonly Command[];
}

const getCommand = (url: string, target: string, ...options: readonly string[]): Command => [
  process.execPath,
  PROGRAM,
  'get',
  '-q',
  '--plain',
  ...options,
  url,
  '-o',
  target,
];
const curlCommand = (url: string, target: string): Command => ['curl', '-sSf', '-o', target, url];

/** What all others are compared with. */
const verified: Client = { name: 'viaduct get', commands: (url, target) => [getCommand(url, target)] };

/** In the order of the table. What `viaduct get` does besides follows curl, one thing more at a time. */
const CLIENTS: readonly Client[] = [
  verified,
  { ...verified, name: 'viaduct get, the first of all', isFirst: true },
  {
    name: 'viaduct get --no-verify',
    commands: (url, target) => [getCommand(url, target, '--no-verify')],
  },
  { name: 'curl', commands: (url, target) => [curlCommand(url, target)] },
  {
    name: 'curl, then sync',
    commands: (url, target) => [curlCommand(url, target), ['sync', target]],
  },
  {
    name: 'curl, then sync, openssl sha256',
    commands: (url, target) => [
      curlCommand(url, target),
      ['sync', target],
      ['openssl', 'dgst', '-sha256', target],
    ],
  },
];

/** Programs besides ourselves that this machine lacks. */
export const missingForGet = (): readonly string[] => missingOf(['curl', 'openssl']);

/** Through two relays, from a node that serves a file of so many bytes. */
export async function measureGet(asked: Pick<Get, 'rounds'> & { readonly bytes: number }): Promise<Get[]> {
  const { rounds, bytes } = asked;
  const source = join(folder, 'file');
  await pipeline(Readable.from(repeatedBlock(bytes)), createWriteStream(source));
  const nodes: Running[] = [];
  try {
    while (nodes.length <= RELAYS) nodes.push(await startNodeProcess({ root: folder }));
    const [first, ...next] = nodes;
    const url = `http://127.0.0.1:${first?.port}${next.map(({ port }) => `/@127.0.0.1:${port}`).join('')}/file`;
    const clients = new Map(CLIENTS.map((client) => [client, client]));
    const measure = (client: Client): Promise<Fetched> => fetchOnce(client, { source, url, bytes });
    for (const client of CLIENTS) await measure(client);
    const results = await pairedRounds(clients, rounds, measure);
    const secondsOf = (client: Client): number[] => (results.get(client) ?? []).map(({ seconds }) => seconds);
    return [...results].map(([client, fetched]) => ({
      rounds,
      client: client.name,
      bytesPerSecond: bytes / median(secondsOf(client)),
      ratio: ratio(secondsOf(client), secondsOf(verified)),
      cpuSecondsPerGiB: median(fetched.map(({ cpuSeconds }) => cpuSeconds)) / (bytes / GIB),
    }));
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
    rmSync(source, { force: true });
  }
}

interface Fetched {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

async function fetchOnce(
  client: Client,
  { source, url, bytes }: { readonly source: string; readonly url: string; readonly bytes: number },
): Promise<Fetched> {
  const target = join(folder, 'fetched');
  if (client.isFirst) {
    // Another time of change is another version.
    const now = new Date();
    utimesSync(source, now, now);
  }
  // What the last one left for the disk to do is none of this one's business.
  await runToEnd('sync', []);
  const cpuBefore = endedChildrenCpuSeconds();
  const startedAt = performance.now();
  for (const [program, ...args] of client.commands(url, target)) await runToEnd(program, args);
  const seconds = (performance.now() - startedAt) / 1000;
  const cpuSeconds = endedChildrenCpuSeconds() - cpuBefore;
  const { size } = statSync(target);
  rmSync(target);
  if (size !== bytes) throw new Error(`${client.name}: ${size} of ${bytes} bytes came`);
  return { seconds, cpuSeconds };
}

/** Random bytes, the same ones again after each block, which is no multiple of any buffer. */
export function* repeatedBlock(bytes: number): Generator<Buffer> {
  const block = randomBytes(1024 * 1024 + 1);
  for (let left = bytes; left > 0; left -= block.length) yield block.subarray(0, left);
}

export function getTable(rows: readonly Get[]): string {
  return table(
    ['client', 'GB/s', 'viaduct get ÷ it', 'CPU s/GiB'],
    rows.map((row) => [
      row.client,
      fixed(row.bytesPerSecond / 1e9, 2),
      spread(row.ratio),
      fixed(row.cpuSecondsPerGiB, 2),
    ]),
  );
}
