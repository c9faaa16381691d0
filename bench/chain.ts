import { fileURLToPath } from 'node:url';
import type { Peer } from './peers.js';
import { type Running, startPrinting } from './processes.js';
import { curl, drain } from './sink.js';

/** An origin and `count` relays of one kind in front of it, all real processes, ready to transfer. */
export interface Chain {
  /** One transfer; seconds from dialling to FIN. */
  transfer(): Promise<number>;
  /** CPU seconds of the relays so far, and the largest one's peak resident memory. */
  usage(): { readonly cpuSeconds: number; readonly peakRssBytes: number };
  stop(): Promise<void>;
}

export async function buildChain(peer: Peer, count: number, bytes: number): Promise<Chain> {
  const program = fileURLToPath(new URL('origin.js', import.meta.url));
  const origin = await startPrinting(process.execPath, [program, String(bytes)], /port (\d+)/);
  /** From the origin's neighbour to the client's. */
  const relays: Running[] = [];
  for (let number = 0; number < count; number += 1) {
    relays.push(await peer.start(relays.at(-1)?.port ?? origin.port));
  }
  const entrance = relays.at(-1)?.port ?? origin.port;
  const left = peer.routed ? [origin, ...relays.slice(0, -1)].toReversed() : [];
  const message = ['file', ...left.map(({ port }) => `127.0.0.1 ${port}`), '', ''].join('\n');
  const path = left.map(({ port }) => `/@127.0.0.1:${port}`).join('');
  return {
    transfer: () =>
      peer.wire === 'classic'
        ? drain(entrance, message, bytes)
        : curl(`http://127.0.0.1:${entrance}${path}/file`, bytes),
    usage: () => {
      const usages = relays.map((relay) => relay.usage());
      return {
        cpuSeconds: usages.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
        peakRssBytes: Math.max(...usages.map(({ peakRssBytes }) => peakRssBytes)),
      };
    },
    stop: async () => {
      await Promise.all([origin, ...relays].map((process) => process.stop()));
    },
  };
}
