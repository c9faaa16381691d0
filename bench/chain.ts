import type { Target } from './load.js';
import type { Peer, Wire } from './peers.js';
import type { Running } from './processes.js';
import { type Usage, usageOf } from './usage.js';

/** Relays of one kind in front of an origin, all real processes. */
export interface Chain extends Target {
  readonly relays: readonly Running[];
  /** Of all relays together, so far. */
  usage(): Usage;
  stop(): Promise<void>;
}

export async function buildChain(peer: Peer, wire: Wire, count: number, origin: Running): Promise<Chain> {
  /** From the origin's neighbour to the client's. */
  const relays: Running[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(relays.map((relay) => relay.stop()));
  };
  try {
    while (relays.length < count) relays.push(await peer.start(relays.at(-1)?.port ?? origin.port, wire));
  } catch (error) {
    await stop();
    throw error;
  }
  const left = peer.routed ? [origin, ...relays.slice(0, -1)].toReversed() : [];
  return {
    name: peer.name,
    port: relays.at(-1)?.port ?? origin.port,
    message: messageFor(
      wire,
      left.map(({ port }) => port),
    ),
    relays,
    usage: () => {
      const usages = relays.map(({ pid }) => usageOf(pid));
      return {
        cpuSeconds: usages.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
        switches: usages.reduce((sum, { switches }) => sum + switches, 0),
      };
    },
    stop,
  };
}

function messageFor(wire: Wire, ports: readonly number[]): string {
  if (wire === 'classic') return ['file', ...ports.map((port) => `127.0.0.1 ${port}`), '', ''].join('\n');
  const path = ports.map((port) => `/@127.0.0.1:${port}`).join('');
  return `GET ${path}/file HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
}
