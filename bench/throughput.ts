// How fast chains of relays move a large reply, and what that costs a relay.
import { fetchFlows, startOrigin } from './load.js';
import { type Peer, type Wire, viaduct } from './peers.js';
import { type Spread, median, pairedRounds, ratio, withChains } from './rounds.js';
import type { Running } from './processes.js';
import { fixed, spread, table } from './table.js';
import { endedChildrenCpuSeconds, usageOf } from './usage.js';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

export interface Throughput {
  readonly wire: Wire;
  readonly relays: number;
  readonly flows: number;
  readonly rounds: number;
  readonly relay: string;
  /** All flows together, median over the rounds. */
  readonly bytesPerSecond: number;
  /** Viaduct's throughput over this relay's, round by round. */
  readonly ratio: Spread;
  /** Of one relay of the chain on average, start-up and warm-up taken off. */
  readonly cpuSecondsPerGiB: number;
  /** Viaduct's CPU over this relay's. */
  readonly cpuRatio: number;
  /** The same with both ends: on loopback the kernel receives for one process in the time of another. */
  readonly allCpuRatio: number;
  /** As the CPU; NaN where the processes that made them are gone. */
  readonly switchesPerGiB: number;
  /** The slowest flow's throughput over the mean flow's, median over the rounds. */
  readonly slowestFlow: number;
}

/** One chain length, wire and number of flows, all kinds of relay. `bytes` are those of all flows together. */
export async function measureThroughput(
  peers: readonly Peer[],
  asked: Pick<Throughput, 'wire' | 'relays' | 'flows' | 'rounds'> & { readonly bytes: number },
): Promise<Throughput[]> {
  const { wire, relays, flows, rounds, bytes } = asked;
  const each = Math.ceil(bytes / flows);
  const origin = await startOrigin(each);
  try {
    return await withChains(peers, wire, relays, origin, async (chains) => {
      for (const chain of chains.values()) await fetchFlows(chain, flows, each);
      const before = new Map([...chains].map(([peer, chain]) => [peer, chain.usage()]));
      const results = await pairedRounds(chains, rounds, async (chain) => {
        const begun = endsCpuSeconds(origin);
        const fetched = await fetchFlows(chain, flows, each);
        return { ...fetched, endsCpu: endsCpuSeconds(origin) - begun };
      });
      const relayedGiB = (relays * rounds * flows * each) / GIB;
      const cost = (peer: Peer, what: 'cpuSeconds' | 'switches'): number =>
        ((chains.get(peer)?.usage()[what] ?? NaN) - (before.get(peer)?.[what] ?? NaN)) / relayedGiB;
      const allCpu = (peer: Peer): number =>
        (results.get(peer) ?? []).reduce((sum, round) => sum + round.endsCpu / relayedGiB, 0) +
        cost(peer, 'cpuSeconds');
      const secondsOf = (peer: Peer): number[] => (results.get(peer) ?? []).map(({ seconds }) => seconds);
      return [...results].map(([peer, fetched]) => ({
        wire,
        relays,
        flows,
        rounds,
        relay: peer.name,
        bytesPerSecond: (flows * each) / median(secondsOf(peer)),
        ratio: ratio(secondsOf(peer), secondsOf(viaduct)),
        cpuSecondsPerGiB: cost(peer, 'cpuSeconds'),
        cpuRatio: cost(viaduct, 'cpuSeconds') / cost(peer, 'cpuSeconds'),
        allCpuRatio: allCpu(viaduct) / allCpu(peer),
        switchesPerGiB: peer.forks ? NaN : cost(peer, 'switches'),
        slowestFlow: median(fetched.map((round) => slowest(round.each))),
      }));
    });
  } finally {
    await origin.stop();
  }
}

/** Of the origin, and of all sinks so far. */
function endsCpuSeconds(origin: Running): number {
  return usageOf(origin.pid).cpuSeconds + endedChildrenCpuSeconds();
}

/** All flows have the same size, so a flow's throughput is as one over its seconds. */
function slowest(seconds: readonly number[]): number {
  const mean = seconds.reduce((sum, value) => sum + 1 / value, 0) / seconds.length;
  return 1 / Math.max(...seconds) / mean;
}

export function throughputTable(rows: readonly Throughput[]): string {
  return table(
    [
      'wire',
      'relays',
      'flows',
      'relay',
      'GB/s',
      'viaduct ÷ it',
      'CPU s/GiB',
      'CPU, viaduct ÷ it',
      'with the ends',
      'switches/GiB',
      'slowest flow',
    ],
    rows.map((row) => [
      row.wire,
      String(row.relays),
      String(row.flows),
      row.relay,
      fixed(row.bytesPerSecond / 1e9, 2),
      spread(row.ratio),
      fixed(row.cpuSecondsPerGiB, 2),
      fixed(row.cpuRatio, 2),
      fixed(row.allCpuRatio, 2),
      fixed(row.switchesPerGiB, 0),
      row.flows === 1 ? '–' : fixed(row.slowestFlow, 2),
    ]),
  );
}
