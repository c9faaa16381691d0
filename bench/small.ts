// What a relay costs a small reply: the time of one, and how many a second.
import { fetchReplies, startOrigin } from './load.js';
import { type Peer, type Wire, viaduct } from './peers.js';
import { type Spread, median, pairedRounds, ratio, withChains } from './rounds.js';
import { fixed, spread, table } from './table.js';

const REPLY_BYTES = 1024;

/** Until V8 has compiled what is used often: a relay runs for months. */
const WARM_UP = 10_000;

export interface Small {
  readonly wire: Wire;
  readonly atOnce: number;
  readonly rounds: number;
  readonly relay: string;
  readonly repliesPerSecond: number;
  /** From dialling to FIN: the median reply of the median round. */
  readonly seconds: number;
  /** Viaduct's replies per second over this relay's, round by round. */
  readonly ratio: Spread;
  /** Viaduct's time of a reply over this relay's, round by round. */
  readonly timeRatio: Spread;
}

/** Through one relay of each kind; every reply on a connection of its own, `atOnce` of them in flight. */
export async function measureSmall(
  peers: readonly Peer[],
  asked: Pick<Small, 'wire' | 'atOnce' | 'rounds'> & { readonly replies: number },
): Promise<Small[]> {
  const { wire, atOnce, rounds, replies } = asked;
  const origin = await startOrigin(REPLY_BYTES);
  try {
    return await withChains(peers, wire, 1, origin, async (chains) => {
      for (const chain of chains.values()) await fetchReplies(chain, REPLY_BYTES, atOnce, WARM_UP);
      const results = await pairedRounds(chains, rounds, (chain) =>
        fetchReplies(chain, REPLY_BYTES, atOnce, replies),
      );
      const totals = (peer: Peer): number[] => (results.get(peer) ?? []).map(({ seconds }) => seconds);
      const times = (peer: Peer): number[] => (results.get(peer) ?? []).map((round) => round.median);
      return [...results.keys()].map((peer) => ({
        wire,
        atOnce,
        rounds,
        relay: peer.name,
        repliesPerSecond: replies / median(totals(peer)),
        seconds: median(times(peer)),
        ratio: ratio(totals(peer), totals(viaduct)),
        timeRatio: ratio(times(viaduct), times(peer)),
      }));
    });
  } finally {
    await origin.stop();
  }
}

export function smallTable(rows: readonly Small[]): string {
  return table(
    ['wire', 'at once', 'relay', 'replies/s', 'viaduct ÷ it', 'ms', 'time, viaduct ÷ it'],
    rows.map((row) => [
      row.wire,
      String(row.atOnce),
      row.relay,
      fixed(row.repliesPerSecond, 0),
      spread(row.ratio),
      fixed(row.seconds * 1000, 2),
      spread(row.timeRatio),
    ]),
  );
}
