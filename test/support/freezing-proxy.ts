import { type Socket, connect } from 'node:net';
import type { HostHop } from 'viaduct';
import { rawServer } from './raw.js';
import type { Cleanup } from './scope.js';

export interface FreezingProxy {
  readonly hop: HostHop;
  /** Nothing more passes on the connections that are open now, and nothing ends them: a NAT that has forgotten them. */
  freeze(): void;
}

/** A TCP proxy whose connections can go dead without a word; new ones work. */
export async function freezingProxy(t: Cleanup, target: HostHop): Promise<FreezingProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  const { hop } = await rawServer(t, (client) => {
    const upstream = connect({ ...target, allowHalfOpen: true, noDelay: true });
    upstream.on('error', () => {});
    t.after(() => upstream.destroy());
    const pair = [client, upstream] as const;
    pairs.add(pair);
    client.pipe(upstream);
    upstream.pipe(client);
    for (const [one, other] of [pair, [upstream, client] as const])
      one.once('close', () => {
        if (pairs.delete(pair)) other.resetAndDestroy();
      });
  });
  const freeze = (): void => {
    for (const [client, upstream] of pairs) {
      client.unpipe(upstream).pause();
      upstream.unpipe(client).pause();
    }
    pairs.clear();
  };
  return { hop, freeze };
}
