import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Channel } from '#src/tcp/stream.js';
import { unsentBytes } from '#src/tcp/handle.js';
import { listen } from '#src/tcp/listen.js';
import { settles } from './leaks.js';
import { rawConnect, rawServer } from './raw.js';
import type { Cleanup } from './scope.js';

/** A channel and the plain socket at its other end; both close when the test ends. */
export interface Pair {
  readonly channel: Channel;
  readonly peer: Socket;
}

/** A channel as a node accepts it. */
export async function acceptedPair(t: Cleanup): Promise<Pair> {
  const { server, address } = await listen({ host: '127.0.0.1', port: 0, backlog: 511 });
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const peer = await rawConnect(t, { host: '127.0.0.1', port: address.port });
  const channel = Channel.accepted(await accepted);
  server.close(); // What it has accepted stays.
  t.after(() => channel.socket.destroy());
  return { channel, peer };
}

/** A channel as a relay or client dials it. */
export async function dialledPair(t: Cleanup): Promise<Pair> {
  let accept: (peer: Socket) => void;
  const accepted = new Promise<Socket>((resolve) => (accept = resolve));
  const { hop } = await rawServer(t, (peer) => accept(peer));
  const channel = Channel.dialling(hop.host, hop.port);
  t.after(() => channel.socket.destroy());
  await once(channel.socket, 'connect');
  return { channel, peer: await accepted };
}

/** Resolves once the socket is closed, whether it is already or not. */
export async function closed(socket: Socket): Promise<void> {
  // Not `once`, which rejects at an error that comes before.
  if (!socket.closed) return new Promise((resolve) => socket.once('close', () => resolve()));
  // Node says closed a little early: the event comes in the loop's last phase, one after setImmediate.
  for (let turn = 0; turn < 2; turn += 1) await new Promise(setImmediate);
}

/** Resolves with what a channel has read once there are `count` bytes; leaves it reading. */
export function received(channel: Channel, count: number): Promise<Buffer> {
  return new Promise((resolve) => {
    let bytes = Buffer.alloc(0);
    channel.consumer = (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.length >= count) resolve(bytes);
      return true;
    };
    channel.resume();
  });
}

/** Resolves once a channel's consumer, as it is now, has had enough for the moment. */
export function stuck(channel: Channel): Promise<void> {
  const { consumer } = channel;
  return new Promise((resolve) => {
    channel.consumer = (chunk) => {
      const more = consumer(chunk);
      if (!more) resolve();
      return more;
    };
  });
}

/** Looks in a row at which a sender has to be found as it was. */
const LOOKS = 5;

/**
 * Resolves once a sender with more to send cannot get rid of it: every buffer between it and a reader that takes
 * nothing is full, whoever moves the bytes.
 */
export async function blocked(sender: Socket): Promise<void> {
  let last = 0;
  let unchanged = 0;
  await settles(
    () => unsentBytes(sender),
    (left) => {
      unchanged = left > 0 && left === last ? unchanged + 1 : 0;
      last = left;
      return unchanged >= LOOKS;
    },
    (left) => `the sender still sends: ${left} bytes are left`,
  );
}
