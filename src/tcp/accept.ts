import type { Server, Socket } from 'node:net';
import { DescriptorListener } from './descriptor/listener.js';
import type { Sockets } from './descriptor/sockets.js';
import { descriptorOf } from './handle.js';
import type { Incoming } from './incoming.js';
import { remoteOf } from './remote.js';
import { TcpStream } from './stream.js';

/**
 * Takes over what a listener accepts.
 * @param sockets for streams without Node's sockets. @default with them
 * @returns closes the listener, and resolves when it is closed and, with Node's sockets, all that it has accepted
 */
export function acceptFrom(
  server: Server,
  handle: (incoming: Incoming) => void,
  sockets?: Sockets,
): () => Promise<void> {
  const fd = descriptorOf(server);
  const own = sockets === undefined || fd === undefined ? -1 : sockets.calls.duplicate(fd);
  if (sockets !== undefined && own >= 0) {
    sockets.calls.setNoDelay(own); // What it accepts inherits it.
    const listener = new DescriptorListener(sockets, own, handle);
    // The socket listens on, since the other descriptor is open.
    server.close();
    return async () => listener.close();
  }
  server.on('connection', (socket: Socket) =>
    handle({
      remote: remoteOf(socket),
      accept: () => TcpStream.over(socket),
      refuse: () => void socket.on('error', () => {}).resetAndDestroy(),
    }),
  );
  return () => new Promise((resolve) => server.close(() => resolve()));
}
