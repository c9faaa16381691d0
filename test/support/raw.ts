import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import type { TestContext } from 'node:test';
import { isDisconnected } from '#src/tcp/handle.js';
import type { HostHop } from 'viaduct';
import type { Cleanup } from './scope.js';

/** How a raw connection ended and what had come. */
export interface Ending {
  readonly bytes: Buffer;
  /** `end`: a clean FIN. `reset`: RST. */
  readonly how: 'end' | 'reset';
}

/** A plain TCP connection of the test's own; closed when the test ends. */
export async function rawConnect(t: Cleanup, hop: HostHop, localAddress?: string): Promise<Socket> {
  const from = localAddress === undefined ? {} : { localAddress };
  const socket = connect({ host: hop.host, port: hop.port, allowHalfOpen: true, noDelay: true, ...from });
  socket.on('error', () => {});
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** Reads until the far side ends, one way or the other. */
export function readToEnd(socket: Socket): Promise<Ending> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const settle = (how: Ending['how']) => (): void => {
      if (how === 'reset') socket.destroy();
      resolve({ bytes: Buffer.concat(chunks), how });
    };
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    // libuv can show a reset as an end (src/tcp/stream.ts).
    socket.once('end', () => settle(!socket.writableEnded && isDisconnected(socket) ? 'reset' : 'end')());
    socket.once('error', settle('reset'));
    socket.once('close', settle('reset'));
    socket.resume();
  });
}

/** Sends bytes, without FIN, and reads to the end. */
export async function exchange(t: TestContext, hop: HostHop, message: string | Buffer): Promise<Ending> {
  const socket = await rawConnect(t, hop);
  const ending = readToEnd(socket);
  socket.write(message);
  const result = await ending;
  socket.destroy();
  return result;
}

/** A server of the test's own on a free loopback port, unless told where; its sockets and itself close when the test ends. */
export async function rawServer(
  t: Cleanup,
  serve: (socket: Socket) => void,
  at: HostHop = { host: '127.0.0.1', port: 0 },
): Promise<{ readonly hop: HostHop; readonly server: Server; readonly sockets: ReadonlySet<Socket> }> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
    serve(socket);
  });
  server.listen(at.port, at.host);
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { hop: { host: at.host, port }, server, sockets };
}

/** A server at which no dial may arrive: the first connection that comes has to be the check's own. */
export async function lonelyServer(
  t: TestContext,
): Promise<{ hop: HostHop; assertNotDialled: () => Promise<void> }> {
  const arrivals: (number | undefined)[] = [];
  const { hop, server } = await rawServer(t, (socket) => arrivals.push(socket.remotePort));
  const assertNotDialled = async (): Promise<void> => {
    const arrived = once(server, 'connection');
    const { localPort } = await rawConnect(t, hop);
    await arrived;
    assert.deepEqual(arrivals, [localPort]);
  };
  return { hop, assertNotDialled };
}
