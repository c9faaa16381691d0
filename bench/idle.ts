// What a relay holds for connections on which nothing happens.
import { setTimeout as delay } from 'node:timers/promises';
import { DESCRIPTORS_PER_CONNECTION, DESCRIPTORS_RESERVED } from '#src/node/descriptors.js';
import { ONE_IN } from '#src/node/relay-shares.js';
import { type Chain, buildChain } from './chain.js';
import { hold, startSilentOrigin } from './load.js';
import type { Peer, Wire } from './peers.js';
import { fixed, table } from './table.js';
import { type Holding, descriptorLimit, holdingOf } from './usage.js';

export interface Idle {
  readonly wire: Wire;
  readonly relay: string;
  readonly connections: number;
  /** Growth of resident memory for each relayed connection, when the last one is there. */
  readonly bytesAtFirst: number;
  /** And once it grows and shrinks no more. */
  readonly bytesSettled: number;
  readonly descriptors: number;
  /** In the whole process, beyond those that it had before. */
  readonly pipes: number;
}

const WARM_UP_CONNECTIONS = 64;
/** All connections must be relayed, or closed, within this time. */
const LIMIT_MS = 60_000;
const POLL_MS = 100;
/** Memory has settled when so many looks, a second apart, differ by less than this share. */
const STEADY_LOOKS = 3;
const STEADY_SHARE = 0.005;
const SETTLE_LOOKS_MAX = 20;

/** `connections` clients that have sent their request, relayed to an origin that accepts and says nothing. */
export async function measureIdle(peer: Peer, wire: Wire, connections: number): Promise<Idle> {
  const origin = await startSilentOrigin();
  const chain = await buildChain(peer, wire, 1, origin);
  const pid = chain.relays[0]?.pid ?? 0;
  try {
    const { descriptors: free } = await settled(pid);
    const warmUp = await hold(chain, WARM_UP_CONNECTIONS);
    await until(chain, ({ descriptors }) => descriptors >= free + 2 * WARM_UP_CONNECTIONS);
    await warmUp.stop();
    await until(chain, ({ descriptors }) => descriptors < free + WARM_UP_CONNECTIONS);
    const before = await settled(pid);
    const held = await hold(chain, connections);
    try {
      const first = await until(
        chain,
        ({ descriptors }) => descriptors >= before.descriptors + 2 * connections,
      );
      const last = await settled(pid);
      return {
        wire,
        relay: peer.name,
        connections,
        bytesAtFirst: (first.rssBytes - before.rssBytes) / connections,
        bytesSettled: (last.rssBytes - before.rssBytes) / connections,
        descriptors: (last.descriptors - before.descriptors) / connections,
        pipes: last.pipes - before.pipes,
      };
    } finally {
      await held.stop();
    }
  } finally {
    await Promise.all([chain.stop(), origin.stop()]);
  }
}

/** How many of `asked` connections a viaduct node relays for one client, with the descriptors that a process may have. */
export async function connectionsThatFit(asked: number): Promise<number> {
  const process = await startSilentOrigin();
  const most = (descriptorLimit(process.pid) - DESCRIPTORS_RESERVED) / DESCRIPTORS_PER_CONNECTION;
  await process.stop();
  return Math.min(asked, Math.floor(most / ONE_IN));
}

async function until(chain: Chain, holds: (holding: Holding) => boolean): Promise<Holding> {
  const deadline = performance.now() + LIMIT_MS;
  for (;;) {
    const holding = holdingOf(chain.relays[0]?.pid ?? 0);
    if (holds(holding)) return holding;
    if (performance.now() > deadline) {
      throw new Error(
        `${chain.name}: still ${holding.descriptors} descriptors, a minute after all clients came or left`,
      );
    }
    await delay(POLL_MS);
  }
}

async function settled(pid: number): Promise<Holding> {
  let holding = holdingOf(pid);
  let steady = 0;
  for (let looks = 0; steady < STEADY_LOOKS && looks < SETTLE_LOOKS_MAX; looks += 1) {
    await delay(1000);
    const next = holdingOf(pid);
    const change = Math.abs(next.rssBytes - holding.rssBytes);
    steady = change < STEADY_SHARE * holding.rssBytes ? steady + 1 : 0;
    holding = next;
  }
  return holding;
}

export function idleTable(rows: readonly Idle[]): string {
  return table(
    ['wire', 'relay', 'connections', 'KiB each at first', 'KiB each settled', 'descriptors each', 'pipes'],
    rows.map((row) => [
      row.wire,
      row.relay,
      String(row.connections),
      fixed(row.bytesAtFirst / 1024, 1),
      fixed(row.bytesSettled / 1024, 1),
      fixed(row.descriptors, 1),
      String(row.pipes),
    ]),
  );
}
