import { once } from 'node:events';
import { TLSSocket, connect } from 'node:tls';
import { TcpStream } from '#src/tcp/stream.js';
import { IDENTITY } from './identity.js';
import type { Cleanup } from './scope.js';
import { type Pair, acceptedSocket } from './streams.js';

/** A stream over the accepted side of a TLS connection, and its peer, which has what it receives in clear. */
export async function tlsPair(t: Cleanup): Promise<Pair> {
  const { socket, peer: raw } = await acceptedSocket(t);
  const peer = connect({ socket: raw, rejectUnauthorized: false }).on('error', () => {});
  const stream = TcpStream.over(new TLSSocket(socket, { isServer: true, ...IDENTITY }).pause());
  t.after(() => [peer.destroy(), stream.close()]);
  await once(peer, 'secureConnect');
  return { stream, peer };
}
