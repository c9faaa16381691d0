// How fast a file comes from a far host, encrypted to the end: viaduct's client beside scp, rsync, curl and Node's TLS.
import { createWriteStream, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Fetcher, UNVERIFIED, VERIFIED, startServers } from './encrypted-fetchers.js';
import { repeatedBlock } from './get.js';
import { folder, runToEnd } from './processes.js';
import { type Spread, median, pairedRounds, ratio } from './rounds.js';
import { fixed, spread, table } from './table.js';
import { endedChildrenCpuSeconds } from './usage.js';

const GIB = 1024 ** 3;

export interface Encrypted {
  readonly rounds: number;
  readonly relays: number;
  readonly client: string;
  readonly cipher: string;
  /** Whole commands, median over the rounds. */
  readonly bytesPerSecond: number;
  /** The throughput of `viaduct get` over this client's, round by round. */
  readonly ratio: Spread;
  /** That of `viaduct get --no-verify`. */
  readonly unverifiedRatio: Spread;
  /** Of the client's own processes, start included. */
  readonly cpuSecondsPerGiB: number;
}

export interface EncryptedOptions {
  readonly rounds: number;
  readonly bytes: number;
  /** Numbers of relays. */
  readonly chains: readonly number[];
  readonly say: (line: string) => void;
}

/** All clients in turn for each number of relays, from the same servers. */
export async function measureEncrypted(options: EncryptedOptions): Promise<Encrypted[]> {
  const { bytes, chains, rounds, say } = options;
  const root = join(folder, 'encrypted');
  mkdirSync(root, { mode: 0o755 });
  const source = join(root, 'file');
  await pipeline(Readable.from(repeatedBlock(bytes)), createWriteStream(source));
  const { fetchers, running } = await startServers(source, Math.max(...chains));
  try {
    const rows: Encrypted[] = [];
    for (const relays of chains) {
      const able = fetchers.filter(({ isDirect }) => relays === 0 || !isDirect);
      say(`encrypted: ${relays} relays, ${rounds} rounds`);
      rows.push(...(await measureChain(able, { relays, rounds, source, bytes })));
    }
    return rows;
  } finally {
    await Promise.all(running.map((one) => one.stop()));
    rmSync(root, { recursive: true, force: true });
  }
}

interface Chain {
  readonly relays: number;
  readonly rounds: number;
  readonly source: string;
  readonly bytes: number;
}

async function measureChain(fetchers: readonly Fetcher[], chain: Chain): Promise<Encrypted[]> {
  const { relays, rounds, bytes } = chain;
  for (const fetcher of fetchers) await fetchOnce(fetcher, chain);
  const subjects = new Map(fetchers.map((fetcher) => [fetcher, fetcher]));
  const results = await pairedRounds(subjects, rounds, (fetcher) => fetchOnce(fetcher, chain));
  const secondsOf = (fetcher: Fetcher | undefined): number[] =>
    fetcher === undefined ? [] : (results.get(fetcher) ?? []).map(({ seconds }) => seconds);
  const secondsNamed = (name: string): number[] => secondsOf(fetchers.find((one) => one.name === name));
  return [...results].map(([fetcher, fetched]) => ({
    rounds,
    relays,
    client: fetcher.name,
    cipher: fetcher.cipher,
    bytesPerSecond: bytes / median(secondsOf(fetcher)),
    ratio: ratio(secondsOf(fetcher), secondsNamed(VERIFIED)),
    unverifiedRatio: ratio(secondsOf(fetcher), secondsNamed(UNVERIFIED)),
    cpuSecondsPerGiB:
      relays > 0 && fetcher.leavesProcesses
        ? NaN
        : median(fetched.map(({ cpuSeconds }) => cpuSeconds)) / (bytes / GIB),
  }));
}

interface Fetched {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

async function fetchOnce(fetcher: Fetcher, { relays, source }: Chain): Promise<Fetched> {
  const target = join(folder, 'fetched');
  // The disk has nothing left to do for the one before.
  await runToEnd('sync', []);
  const cpuBefore = endedChildrenCpuSeconds();
  const startedAt = performance.now();
  const [program, ...args] = fetcher.command(relays, target);
  await runToEnd(program, args);
  const seconds = (performance.now() - startedAt) / 1000;
  const cpuSeconds = endedChildrenCpuSeconds() - cpuBefore;
  await runToEnd('cmp', [source, target]);
  rmSync(target);
  return { seconds, cpuSeconds };
}

export function encryptedTable(rows: readonly Encrypted[]): string {
  return table(
    ['relays', 'client', 'cipher', 'GB/s', 'get ÷ it', 'get --no-verify ÷ it', 'CPU s/GiB'],
    rows.map((row) => [
      String(row.relays),
      row.client,
      row.cipher.replace(/^TLS_|_SHA\d+$/g, ''),
      fixed(row.bytesPerSecond / 1e9, 2),
      spread(row.ratio),
      fixed(row.unverifiedRatio.median, 2),
      fixed(row.cpuSecondsPerGiB, 2),
    ]),
  );
}
