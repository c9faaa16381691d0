import { type Library, library } from './library.js';
import { type SocketAddress, AddressBuffer } from './socket-address.js';

/*
 * System calls on TCP sockets, for streams that do without Node's sockets. Constants are Linux's, for x86-64 and arm64. Every call
 * returns a negative errno where it fails, and none throws or blocks.
 */

/** asm-generic/errno.h, negative. */
const EINPROGRESS = -115;

/** bits/socket.h. */
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_MORE = 0x8000;
const SHUT_WR = 1;
/** asm-generic/socket.h. */
const SOL_SOCKET = 1;
const SO_ERROR = 4;
const SO_KEEPALIVE = 9;
/** linux/tcp.h. */
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const TCP_KEEPIDLE = 4;
const TCP_KEEPINTVL = 5;
const TCP_KEEPCNT = 6;
/** As libuv sets them. */
const KEEP_ALIVE_INTERVAL_SECONDS = 1;
const KEEP_ALIVE_PROBES = 10;
/** asm-generic/fcntl.h. */
const F_DUPFD_CLOEXEC = 1030;

export interface SocketCalls {
  /** Starts to connect, without delay of small segments. The descriptor; the connection is there, or failed, when it is writable. */
  dial(to: SocketAddress): number;
  /** The error that a socket has met, which is forgotten with that: 0, or a negative errno. */
  pendingError(fd: number): number;
  /** The descriptor of a connection that waits, or EAGAIN. */
  accept(listener: number): number;
  /** The peer of the last connection that was accepted. */
  acceptedFrom(): SocketAddress;
  /** Bytes received, 0 after FIN. */
  receive(fd: number, into: Buffer): number;
  /** Bytes that the kernel took. @param more it may wait for what follows at once, such as FIN */
  send(fd: number, from: Uint8Array, more: boolean): number;
  /** Queues FIN. */
  shutdown(fd: number): number;
  /** Sends small segments at once, on a socket or on all that a listener will accept. */
  setNoDelay(fd: number): number;
  /** Probes the peer after so many seconds of silence. */
  setKeepAlive(fd: number, idleSeconds: number): number;
  /** Another descriptor for the same socket. */
  duplicate(fd: number): number;
  /** The addresses of a socket; undefined if it is not connected. */
  localOf(fd: number): SocketAddress | undefined;
  remoteOf(fd: number): SocketAddress | undefined;
  /** Whether the peer of a socket that is being connected has answered. */
  isConnected(fd: number): boolean;
}

let bound: SocketCalls | { readonly missing: string } | undefined;

/** The calls, or why they are not available. */
export function socketCalls(): SocketCalls | { readonly missing: string } {
  if (bound === undefined) {
    const loaded = library();
    bound = 'missing' in loaded ? loaded : bind(loaded);
  }
  return bound;
}

function bind(libc: Library): SocketCalls {
  type Address = (fd: number, address: Buffer, length: Int32Array) => number;
  const socket = libc.func<(family: number, type: number, protocol: number) => number>(
    'int socket(int family, int type, int protocol)',
  );
  const connect = libc.func<(fd: number, address: Buffer, length: number) => number>(
    'int connect(int fd, const void *address, uint32_t length)',
  );
  const accept4 = libc.func<(fd: number, address: Buffer, length: Int32Array, flags: number) => number>(
    'int accept4(int fd, void *address, void *length, int flags)',
  );
  const recv = libc.func<(fd: number, into: Buffer, length: number, flags: number) => number>(
    'int64_t recv(int fd, void *into, size_t length, int flags)',
  );
  const send = libc.func<(fd: number, from: Uint8Array, length: number, flags: number) => number>(
    'int64_t send(int fd, const void *from, size_t length, int flags)',
  );
  const shutdown = libc.func<(fd: number, how: number) => number>('int shutdown(int fd, int how)');
  const close = libc.func<(fd: number) => number>('int close(int fd)');
  const fcntl = libc.func<(fd: number, command: number, value: number) => number>(
    'int fcntl(int fd, int command, int value)',
  );
  const getsockopt = libc.func<
    (fd: number, level: number, option: number, value: Int32Array, length: Int32Array) => number
  >('int getsockopt(int fd, int level, int option, void *value, void *length)');
  const setsockopt = libc.func<
    (fd: number, level: number, option: number, value: Int32Array, length: number) => number
  >('int setsockopt(int fd, int level, int option, const void *value, uint32_t length)');
  const getsockname = libc.func<Address>('int getsockname(int fd, void *address, void *length)');
  const getpeername = libc.func<Address>('int getpeername(int fd, void *address, void *length)');

  const or = (result: number): number => (result < 0 ? -libc.errno() : result);
  const value = new Int32Array(1);
  const set = (fd: number, level: number, option: number, to: number): number => {
    value[0] = to;
    return or(setsockopt(fd, level, option, value, value.byteLength));
  };
  const accepted = new AddressBuffer(libc);
  const asked = new AddressBuffer(libc);
  const addressOf = (call: Address, fd: number): SocketAddress | undefined => {
    asked.reset();
    return call(fd, asked.bytes, asked.length) < 0 ? undefined : asked.decode();
  };
  const valueLength = new Int32Array(1);

  return {
    dial: (to) => {
      const length = asked.encode(to);
      const fd = or(socket(asked.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      if (fd < 0) return fd;
      set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
      const result = or(connect(fd, asked.bytes, length));
      if (result === 0 || result === EINPROGRESS) return fd;
      close(fd);
      return result;
    },
    pendingError: (fd) => {
      valueLength[0] = value.byteLength;
      const result = or(getsockopt(fd, SOL_SOCKET, SO_ERROR, value, valueLength));
      return result < 0 ? result : -(value[0] ?? 0);
    },
    accept: (listener) => {
      accepted.reset();
      return or(accept4(listener, accepted.bytes, accepted.length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    },
    acceptedFrom: () => accepted.decode(),
    receive: (fd, into) => or(recv(fd, into, into.length, MSG_DONTWAIT)),
    send: (fd, from, more) => {
      const flags = MSG_DONTWAIT | MSG_NOSIGNAL | (more ? MSG_MORE : 0);
      return or(send(fd, from, from.length, flags));
    },
    shutdown: (fd) => or(shutdown(fd, SHUT_WR)),
    setNoDelay: (fd) => set(fd, IPPROTO_TCP, TCP_NODELAY, 1),
    setKeepAlive: (fd, idleSeconds) => {
      set(fd, IPPROTO_TCP, TCP_KEEPIDLE, idleSeconds);
      set(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEP_ALIVE_INTERVAL_SECONDS);
      set(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEP_ALIVE_PROBES);
      return set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    },
    duplicate: (fd) => or(fcntl(fd, F_DUPFD_CLOEXEC, 0)),
    localOf: (fd) => addressOf(getsockname, fd),
    remoteOf: (fd) => addressOf(getpeername, fd),
    isConnected: (fd) => {
      asked.reset();
      return getpeername(fd, asked.bytes, asked.length) >= 0;
    },
  };
}
