import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import type { ByteStream, StreamReader } from '#src/tcp/byte-stream.js';
import { acceptFrom } from '#src/tcp/accept.js';
import { type Connect, connecting } from '#src/tcp/connecting.js';
import { sockets } from '#src/tcp/descriptor/sockets.js';
import { unsentBytes } from '#src/tcp/handle.js';
import { listen } from '#src/tcp/listen.js';
import { TcpStream } from '#src/tcp/stream.js';
import { settles } from './leaks.js';
import { rawConnect, rawServer } from './raw.js';
import type { Cleanup } from './scope.js';

/** A stream and the plain socket at its other end; both close when the test ends. */
export interface Pair {
  readonly stream: ByteStream;
  readonly peer: Socket;
}

/** A socket as a node accepts it, and its peer; the peer closes when the test ends. */
export async function acceptedSocket(
  t: Cleanup,
): Promise<{ readonly socket: Socket; readonly peer: Socket }> {
  const { server, address } = await listen({ host: '127.0.0.1', port: 0, backlog: 511 });
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const peer = await rawConnect(t, { host: '127.0.0.1', port: address.port });
  const socket = await accepted;
  server.close(); // What it has accepted stays.
  return { socket, peer };
}

/** A stream over a socket as a node accepts it, and that socket. */
export async function acceptedPair(t: Cleanup): Promise<Pair & { readonly socket: Socket }> {
  const { socket, peer } = await acceptedSocket(t);
  const stream = TcpStream.over(socket);
  t.after(() => stream.close());
  return { stream, peer, socket };
}

/** A stream as a relay or client dials it. */
export const dialledPair = (t: Cleanup): Promise<Pair> => dialledWith(t, connecting());

async function dialledWith(t: Cleanup, connect: Connect): Promise<Pair> {
  let accept: (peer: Socket) => void;
  const accepted = new Promise<Socket>((resolve) => (accept = resolve));
  const { hop } = await rawServer(t, (peer) => accept(peer));
  const stream = await new Promise<ByteStream>((resolve) => connect(hop.host, hop.port, resolve));
  t.after(() => stream.close());
  return { stream, peer: await accepted };
}

/** As {@link acceptedPair}, without Node's sockets. */
export async function acceptedByDescriptor(t: Cleanup): Promise<Pair> {
  const { server, address } = await listen({ host: '127.0.0.1', port: 0, backlog: 511 });
  const accepted = new Promise<ByteStream>((resolve) => {
    const close = acceptFrom(server, (incoming) => resolve(incoming.accept()), sockets());
    t.after(close);
  });
  const peer = await rawConnect(t, { host: '127.0.0.1', port: address.port });
  const stream = await accepted;
  t.after(() => stream.close());
  return { stream, peer };
}

/** As {@link dialledPair}, without Node's sockets. */
export const dialledByDescriptor = (t: Cleanup): Promise<Pair> => dialledWith(t, connecting(sockets()));

/** All that a stream can be, with what makes it. */
export const STREAMS: readonly (readonly [string, (t: Cleanup) => Promise<Pair>])[] = [
  ['accepted', acceptedPair],
  ['dialled', dialledPair],
  ...(sockets() === undefined
    ? []
    : ([
        ['accepted, without a socket of Node', acceptedByDescriptor],
        ['dialled, without a socket of Node', dialledByDescriptor],
      ] as const)),
];

const DEADLINE_MS = 15_000;

/** Resolves once a condition holds; for tests whose timers are mocked too. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!condition()) {
    assert.ok(performance.now() < deadline, `never: ${String(condition)}`);
    await new Promise(setImmediate);
  }
}

/** Resolves once a socket or stream is closed, whether it is already or not. */
export async function closed(either: Socket | ByteStream): Promise<void> {
  if ('attach' in either) {
    if (!either.closed) return new Promise((resolve) => void either.onClose(resolve));
  } else if (!either.closed) {
    // Not `once`, which rejects at an error that comes before.
    return new Promise((resolve) => either.once('close', () => resolve()));
  }
  // Node says closed a little early: the event comes in the loop's last phase, one after setImmediate.
  for (let turn = 0; turn < 2; turn += 1) await new Promise(setImmediate);
}

/** A reader that takes everything; `more` is what it does besides. */
export function takesAll(more: Partial<StreamReader> = {}): StreamReader {
  return { take: () => true, end: () => {}, ...more };
}

/** Resolves with what a stream has read once there are `count` bytes; stops reading then. */
export function received(stream: ByteStream, count: number): Promise<Buffer> {
  return new Promise((resolve) => {
    let bytes = Buffer.alloc(0);
    const take = (chunk: Buffer): boolean => {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.length < count) return true;
      reading.detach();
      resolve(bytes);
      return false;
    };
    const reading = stream.attach({ take, end: () => {} });
    reading.resume();
  });
}

/** That a stream has no reader: another one can attach. */
export function assertFree(stream: ByteStream): void {
  stream.attach(takesAll()).detach();
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
