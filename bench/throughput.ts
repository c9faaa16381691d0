// Throughput of chains of relays, viaduct beside its peers, in paired rounds of one run.
//   npm run bench -- [--chains classic:1,classic:4,http:2] [--rounds 9] [--mib 1024] [--json]
import { parseArgs } from 'node:util';
import { type Chain, buildChain } from './chain.js';
import { type Peer, peersHere, viaduct } from './peers.js';

const MIB = 1024 * 1024;

interface Row {
  readonly wire: Peer['wire'];
  readonly relays: number;
  readonly peer: string;
  /** Median over the rounds, in bytes per second. */
  readonly bytesPerSecond: number;
  /** Viaduct's throughput over the peer's, round by round: median, least, most. */
  readonly ratio: { readonly median: number; readonly min: number; readonly max: number };
  /** Of one relay, start-up and warm-up taken off. */
  readonly cpuSecondsPerGiB: number;
  /** The largest relay's peak resident memory. */
  readonly peakRssMiB: number;
}

const { values: asked } = parseArgs({
  options: {
    chains: { type: 'string', default: 'classic:1,classic:4,http:2' },
    rounds: { type: 'string', default: '9' },
    mib: { type: 'string', default: '1024' },
    json: { type: 'boolean', default: false },
  },
});
const rounds = Number(asked.rounds);
const bytes = Number(asked.mib) * MIB;
const results: Row[] = [];
for (const chain of asked.chains.split(',')) {
  const [wire, relays] = chain.split(':');
  if (wire !== 'classic' && wire !== 'http')
    throw new Error(`${chain} is not of the form classic:1 or http:2`);
  results.push(...(await compare(wire, Number(relays))));
}
process.stdout.write(
  asked.json ? `${JSON.stringify({ rounds, bytes, rows: results }, undefined, 2)}\n` : table(results),
);

/** All kinds in turn, round by round, so that the machine's moods hit all of them alike. */
async function compare(wire: Peer['wire'], relays: number): Promise<Row[]> {
  const { present, missing } = peersHere(wire);
  for (const name of missing) process.stderr.write(`${name}: not on this machine, left out\n`);
  const ours = viaduct(wire);
  const peers = [ours, ...present];
  const chains = new Map<Peer, Chain>();
  try {
    for (const peer of peers) chains.set(peer, await buildChain(peer, relays, bytes));
    for (const chain of chains.values()) await chain.transfer();
    const before = new Map([...chains].map(([peer, chain]) => [peer, chain.usage()]));
    const seconds = new Map<Peer, number[]>(peers.map((peer) => [peer, []]));
    for (let round = 0; round < rounds; round += 1) {
      for (const [peer, chain] of chains) seconds.get(peer)?.push(await chain.transfer());
    }
    const own = seconds.get(ours) ?? [];
    return [...chains].map(([peer, chain]) => {
      const theirs = seconds.get(peer) ?? [];
      const ratios = theirs.map((time, round) => time / (own[round] ?? NaN));
      const after = chain.usage();
      const cpu = after.cpuSeconds - (before.get(peer)?.cpuSeconds ?? 0);
      return {
        wire,
        relays,
        peer: peer.name,
        bytesPerSecond: bytes / median(theirs),
        ratio: { median: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) },
        cpuSecondsPerGiB: (cpu / relays / ((rounds * bytes) / MIB)) * 1024,
        peakRssMiB: after.peakRssBytes / MIB,
      };
    });
  } finally {
    for (const chain of chains.values()) await chain.stop();
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? NaN)) / 2;
}

function table(rows: readonly Row[]): string {
  const head = ['wire', 'relays', 'relay', 'GB/s', 'viaduct ÷ it', '(least – most)', 'CPU s/GiB', 'peak MiB'];
  const body = rows.map((row) => [
    row.wire,
    String(row.relays),
    row.peer,
    (row.bytesPerSecond / 1e9).toFixed(2),
    row.ratio.median.toFixed(2),
    `(${row.ratio.min.toFixed(2)} – ${row.ratio.max.toFixed(2)})`,
    row.cpuSecondsPerGiB.toFixed(2),
    row.peakRssMiB.toFixed(0),
  ]);
  const lines = [head, ...body];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map(
      (line) =>
        `${line
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
