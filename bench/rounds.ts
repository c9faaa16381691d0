import { type Chain, buildChain } from './chain.js';
import type { Peer, Wire } from './peers.js';
import type { Running } from './processes.js';

/** Median, quartiles and extremes of one ratio over the rounds. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly min: number;
  readonly max: number;
}

/** Builds a chain of each kind, has them measured, and stops them. */
export async function withChains<T>(
  peers: readonly Peer[],
  wire: Wire,
  relays: number,
  origin: Running,
  measure: (chains: ReadonlyMap<Peer, Chain>) => Promise<T>,
): Promise<T> {
  const chains = new Map<Peer, Chain>();
  try {
    for (const peer of peers) chains.set(peer, await buildChain(peer, wire, relays, origin));
    return await measure(chains);
  } finally {
    await Promise.all([...chains.values()].map((chain) => chain.stop()));
  }
}

/**
 * All kinds in turn, round by round, so that the machine's moods hit all of them alike; every other round
 * backwards, so that nobody always comes after the same neighbour.
 */
export async function pairedRounds<Kind, Subject, T>(
  subjects: ReadonlyMap<Kind, Subject>,
  rounds: number,
  measure: (subject: Subject) => Promise<T>,
): Promise<ReadonlyMap<Kind, readonly T[]>> {
  const results = new Map<Kind, T[]>([...subjects.keys()].map((kind) => [kind, []]));
  for (let round = 0; round < rounds; round += 1) {
    const turn = round % 2 === 0 ? [...subjects] : [...subjects].toReversed();
    for (const [kind, subject] of turn) results.get(kind)?.push(await measure(subject));
  }
  return results;
}

/** Round by round, one over the other. */
export function ratio(over: readonly number[], under: readonly number[]): Spread {
  const ratios = over.map((value, round) => value / (under[round] ?? NaN));
  return {
    median: quantile(ratios, 0.5),
    low: quantile(ratios, 0.25),
    high: quantile(ratios, 0.75),
    min: Math.min(...ratios),
    max: Math.max(...ratios),
  };
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Between two values, in proportion. */
function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)] ?? NaN;
  const above = sorted[Math.ceil(place)] ?? NaN;
  return below + (above - below) * (place % 1);
}
