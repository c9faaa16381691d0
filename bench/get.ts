// How fast a file comes from a far node onto the disk here: viaduct's own client beside curl, over the same route.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createWriteStream, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { isHere } from './peers.js';
import { type Running, folder } from './processes.js';
import { type Spread, median, pairedRounds, ratio } from './rounds.js';
import { fixed, spread, table } from './table.js';
import { endedChildrenCpuSeconds } from './usage.js';
import { PATIENCE_SECONDS, PROGRAM, startNode } from './viaduct.js';

const run = promisify(execFile);

const GIB = 1024 ** 3;

export interface Get {
  readonly relays: number;
  readonly rounds: number;
  readonly client: string;
  /** From the start of the command to its end, median over the rounds. */
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
  command(url: string, target: string): Command;
}

const viaductGet = (name: string, ...options: readonly string[]): Client => ({
  name,
  command: (url, target) => [process.execPath, PROGRAM, 'get', '-q', ...options, url, '-o', target],
});

const curl = (name: string, afterwards = ''): Client => ({
  name,
  command: (url, target) => ['sh', '-c', `curl -sSf -o "$1" "$0"${afterwards}`, url, target],
});

const verified = viaductGet('viaduct get');

/** In the order of the table. What `viaduct get` does besides is done after curl too, one thing more at a time. */
const CLIENTS = [
  verified,
  viaductGet('viaduct get --no-verify', '--no-verify'),
  curl('curl'),
  curl('curl, then sync', ' && sync "$1"'),
  curl('curl, then sync and sha256sum', ' && sync "$1" && sha256sum "$1"'),
];

/** Through `relays` nodes, from a node that serves a file of `bytes` bytes. */
export async function measureGet(
  asked: Pick<Get, 'relays' | 'rounds'> & { readonly bytes: number },
): Promise<Get[]> {
  const { relays, rounds, bytes } = asked;
  await pipeline(Readable.from(randomBlocks(bytes)), createWriteStream(join(folder, 'file')));
  const nodes: Running[] = [];
  try {
    while (nodes.length <= relays) nodes.push(await startNode({ root: folder }));
    const [first, ...next] = nodes;
    const url = `http://127.0.0.1:${first?.port}${next.map(({ port }) => `/@127.0.0.1:${port}`).join('')}/file`;
    const target = join(folder, 'fetched');
    const clients = new Map(CLIENTS.map((client) => [client, client.command(url, target)]));
    const fetch = (command: Command): Promise<Fetched> => fetchOnce(command, target, bytes);
    for (const command of clients.values()) await fetch(command);
    const results = await pairedRounds(clients, rounds, fetch);
    const secondsOf = (client: Client): number[] => (results.get(client) ?? []).map(({ seconds }) => seconds);
    return [...results].map(([client, fetched]) => ({
      relays,
      rounds,
      client: client.name,
      bytesPerSecond: bytes / median(secondsOf(client)),
      ratio: ratio(secondsOf(client), secondsOf(verified)),
      cpuSecondsPerGiB: median(fetched.map(({ cpuSeconds }) => cpuSeconds)) / (bytes / GIB),
    }));
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
    rmSync(join(folder, 'file'), { force: true });
  }
}

/** Why there is nothing to compare with, or undefined. */
export function getMissing(): string | undefined {
  return isHere('curl') ? undefined : 'curl is not on this machine: get is left out';
}

interface Fetched {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

async function fetchOnce(command: Command, target: string, bytes: number): Promise<Fetched> {
  const [program, ...args] = command;
  // What the last one left for the disk to do is none of this one's business.
  await run('sync');
  const cpuBefore = endedChildrenCpuSeconds();
  const startedAt = performance.now();
  await run(program, args, { timeout: PATIENCE_SECONDS * 1000 });
  const seconds = (performance.now() - startedAt) / 1000;
  const cpuSeconds = endedChildrenCpuSeconds() - cpuBefore;
  const { size } = statSync(target);
  rmSync(target);
  if (size !== bytes) throw new Error(`${size} of ${bytes} bytes came: ${command.join(' ')}`);
  return { seconds, cpuSeconds };
}

function* randomBlocks(bytes: number): Generator<Buffer> {
  const block = randomBytes(1024 * 1024 + 1);
  for (let left = bytes; left > 0; left -= block.length) yield block.subarray(0, left);
}

export function getTable(rows: readonly Get[]): string {
  return table(
    ['relays', 'client', 'GB/s', 'viaduct get ÷ it', 'CPU s/GiB'],
    rows.map((row) => [
      String(row.relays),
      row.client,
      fixed(row.bytesPerSecond / 1e9, 2),
      spread(row.ratio),
      fixed(row.cpuSecondsPerGiB, 2),
    ]),
  );
}
