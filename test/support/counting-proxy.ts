import { connect } from 'node:net';
import type { TestContext } from 'node:test';
import type { HostHop } from 'viaduct';
import { rawServer } from './raw.js';

/** One connection through a {@link countingProxy}. */
export interface CountedConnection {
  /** What the client asked for. */
  readonly head: string;
  /** The client's port. */
  readonly port: number;
  /** Bytes of bodies that came for the client. */
  readonly bytes: number;
}

/** A TCP proxy in front of `target` that only counts; a side that breaks breaks the other. */
export async function countingProxy(
  t: TestContext,
  target: HostHop,
): Promise<{ readonly hop: HostHop; readonly connections: readonly CountedConnection[] }> {
  const connections: { head: string; port: number; bytes: number }[] = [];
  const { hop } = await rawServer(t, (client) => {
    const counted = { head: '', port: client.remotePort ?? 0, bytes: 0 };
    connections.push(counted);
    const upstream = connect({ ...target, allowHalfOpen: true, noDelay: true });
    t.after(() => upstream.destroy());
    upstream.on('error', () => {});
    client.on('data', (bytes: Buffer) => (counted.head += bytes.toString('latin1')));
    let headEnd = -1;
    let before = '';
    upstream.on('data', (bytes: Buffer) => {
      if (headEnd === -1) {
        before += bytes.toString('latin1');
        headEnd = before.indexOf('\r\n\r\n');
        if (headEnd !== -1) counted.bytes = before.length - headEnd - 4;
      } else counted.bytes += bytes.length;
    });
    client.pipe(upstream);
    upstream.pipe(client);
    client.once('close', () => upstream.destroy());
    upstream.once('close', (hadError) => {
      if (hadError) client.resetAndDestroy();
    });
  });
  return { hop, connections };
}
