import { type Library, checked, library } from './library.js';

/*
 * System calls that move bytes and wait for sockets, for which Node has none. Constants are Linux's, for x86-64 where architectures differ. A call on
 * the data path returns a negative errno, as the kernel does, and never throws; the others throw a
 * SystemCallError. Buffers have the size that the kernel writes, so that no argument can lead it astray.
 */

/** asm-generic/errno-base.h and errno.h, negative. */
export const EAGAIN = -11;
export const EINTR = -4;
export const EINVAL = -22;

/** bits/fcntl.h: pipe2(2), fcntl(2), splice(2). */
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const F_SETPIPE_SZ = 1031;
const F_GETPIPE_SZ = 1032;
const SPLICE_F_MOVE = 1;
const SPLICE_F_NONBLOCK = 2;

/** asm-generic/socket.h and bits/socket.h. */
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_LINGER = 13;
const MSG_DONTWAIT = 0x40;
/** linux/tcp.h. */
const IPPROTO_TCP = 6;
const TCP_NOTSENT_LOWAT = 25;
const TCP_CONGESTION = 13;
/** For TCP: take the bytes off the queue without a copy (tcp(7)). */
const MSG_TRUNC = 0x20;

/** linux/sockios.h: bytes that a socket has not sent, or whose receipt is not acknowledged (tcp(7)). */
const SIOCOUTQ = 0x5411;

/** linux/eventpoll.h. */
export const EPOLLIN = 0x1;
export const EPOLLPRI = 0x2;
export const EPOLLOUT = 0x4;
export const EPOLLERR = 0x8;
export const EPOLLHUP = 0x10;
export const EPOLLRDHUP = 0x2000;
export const EPOLLET = 0x80000000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLL_CLOEXEC = O_CLOEXEC;
/** struct epoll_event is packed on x86-64: 32 bits of events, 64 bits of data. */
const EPOLL_EVENT_WORDS = 3;

const EFD_NONBLOCK = O_NONBLOCK;
const EFD_CLOEXEC = O_CLOEXEC;

export interface Pipe {
  readonly readEnd: number;
  readonly writeEnd: number;
}

/** Room for the events of one wait, reused. */
export class EpollEvents {
  readonly words: Int32Array;
  readonly capacity: number;

  constructor(capacity: number) {
    this.words = new Int32Array(capacity * EPOLL_EVENT_WORDS);
    this.capacity = capacity;
  }

  /** What happened, as EPOLL bits. */
  events(index: number): number {
    return this.words[index * EPOLL_EVENT_WORDS] ?? 0;
  }

  /** The word that {@link SystemCalls.epollAdd} was given. */
  data(index: number): number {
    return this.words[index * EPOLL_EVENT_WORDS + 1] ?? 0;
  }
}

export interface SystemCalls {
  /** Bytes moved, without blocking; 0 at the end of the source; or a negative errno. One side is a pipe. */
  splice(from: number, to: number, length: number): number;
  /** Takes bytes off a TCP socket and drops them: how many, 0 at its end, or a negative errno. */
  discard(socket: number, length: number): number;
  /** Number of events, or a negative errno. Waits without limit at `timeoutMs` -1. */
  epollWait(epoll: number, events: EpollEvents, timeoutMs: number): number;
  /** Takes 8 bytes off an eventfd, or whatever there is: a negative errno if there is nothing. */
  read(fd: number, into: Buffer): number;
  /** Adds 1 to an eventfd, which wakes who waits for it. */
  wake(eventfd: number): number;
  /** Bytes that the peer has not acknowledged, or a negative errno. */
  unacknowledged(socket: number): number;
  /** SO_LINGER {on, 0 s}: closing sends RST. A negative errno on what is no socket. */
  setLinger(socket: number, on: 0 | 1): number;
  /** SO_RCVBUF: bytes that wait to be read, overhead not counted. A negative errno on what is no socket. */
  setReceiveBuffer(socket: number, bytes: number): number;
  /** TCP_NOTSENT_LOWAT: bytes that are accepted for sending beyond those on the way. A negative errno on what is no socket. */
  setUnsentLimit(socket: number, bytes: number): number;
  /** TCP_CONGESTION, by the kernel's name. A negative errno: ENOENT if it has none of that name, EPERM if it is not allowed. */
  setCongestion(socket: number, name: string): number;
  close(fd: number): number;

  /** @throws SystemCallError EMFILE, ENFILE */
  pipe(): Pipe;
  /** Sets the capacity of a pipe, in bytes; what it is now, since the kernel rounds up, or refuses (EPERM). */
  resizePipe(fd: number, bytes: number): number;
  /** @throws SystemCallError EMFILE, ENFILE */
  epollCreate(): number;
  /** @param data comes back with each event @throws SystemCallError EEXIST, EPERM, ENOSPC */
  epollAdd(epoll: number, fd: number, events: number, data: number): void;
  /** A negative errno on a descriptor that is not there. */
  epollDelete(epoll: number, fd: number): number;
  /** @throws SystemCallError EMFILE, ENFILE */
  eventfd(): number;
}

let bound: SystemCalls | { readonly missing: string } | undefined;

/** The calls, or why they are not available. */
export function systemCalls(): SystemCalls | { readonly missing: string } {
  if (bound === undefined) {
    const loaded = library();
    bound = 'missing' in loaded ? loaded : bind(loaded);
  }
  return bound;
}

function bind(libc: Library): SystemCalls {
  type Fd = (fd: number) => number;
  const splice = libc.func<
    (from: number, at: null, to: number, into: null, length: number, flags: number) => number
  >('int64_t splice(int from, void *at, int to, void *into, size_t length, unsigned int flags)');
  const recv = libc.func<(fd: number, into: null, length: number, flags: number) => number>(
    'int64_t recv(int fd, void *into, size_t length, int flags)',
  );
  const read = libc.func<(fd: number, into: Buffer, length: number) => number>(
    'int64_t read(int fd, void *into, size_t length)',
  );
  const write = libc.func<(fd: number, from: Buffer, length: number) => number>(
    'int64_t write(int fd, const void *from, size_t length)',
  );
  const close = libc.func<Fd>('int close(int fd)');
  const pipe2 = libc.func<(ends: Int32Array, flags: number) => number>('int pipe2(void *ends, int flags)');
  const fcntl = libc.func<(fd: number, command: number, value: number) => number>(
    'int fcntl(int fd, int command, int value)',
  );
  const ioctl = libc.func<(fd: number, request: number, value: Int32Array) => number>(
    'int ioctl(int fd, unsigned long request, void *value)',
  );
  const epollCreate = libc.func<(flags: number) => number>('int epoll_create1(int flags)');
  const epollCtl = libc.func<
    (epoll: number, operation: number, fd: number, event: Int32Array | null) => number
  >('int epoll_ctl(int epoll, int operation, int fd, void *event)');
  const epollWait = libc.func<
    (epoll: number, events: Int32Array, count: number, timeoutMs: number) => number
  >('int epoll_wait(int epoll, void *events, int count, int timeout)');
  const eventfd = libc.func<(value: number, flags: number) => number>(
    'int eventfd(unsigned int value, int flags)',
  );
  const setsockopt = libc.func<
    (fd: number, level: number, option: number, value: Int32Array | Buffer, length: number) => number
  >('int setsockopt(int fd, int level, int option, const void *value, uint32_t length)');
  const or = (result: number): number => (result < 0 ? -libc.errno() : result);
  const event = new Int32Array(EPOLL_EVENT_WORDS);
  const value = new Int32Array(1);
  const linger = new Int32Array(2);
  const one = Buffer.alloc(8);
  one.writeBigUInt64LE(1n);

  return {
    splice: (from, to, length) => or(splice(from, null, to, null, length, SPLICE_F_MOVE | SPLICE_F_NONBLOCK)),
    discard: (socket, length) => or(recv(socket, null, length, MSG_TRUNC | MSG_DONTWAIT)),
    epollWait: (epoll, events, timeoutMs) => or(epollWait(epoll, events.words, events.capacity, timeoutMs)),
    read: (fd, into) => or(read(fd, into, into.length)),
    wake: (fd) => or(write(fd, one, one.length)),
    unacknowledged: (socket) => {
      const failed = or(ioctl(socket, SIOCOUTQ, value));
      return failed < 0 ? failed : (value[0] ?? 0);
    },
    // struct linger { int l_onoff; int l_linger; } of socket(7).
    setLinger: (socket, on) => {
      linger[0] = on;
      return or(setsockopt(socket, SOL_SOCKET, SO_LINGER, linger, linger.byteLength));
    },
    setReceiveBuffer: (socket, bytes) =>
      or(setsockopt(socket, SOL_SOCKET, SO_RCVBUF, Int32Array.of(bytes), 4)),
    setUnsentLimit: (socket, bytes) =>
      or(setsockopt(socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, Int32Array.of(bytes), 4)),
    setCongestion: (socket, name) => {
      const bytes = Buffer.from(name);
      return or(setsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, bytes, bytes.length));
    },
    close: (fd) => or(close(fd)),

    pipe: () => {
      const ends = new Int32Array(2);
      checked('pipe2', or(pipe2(ends, O_NONBLOCK | O_CLOEXEC)));
      return { readEnd: ends[0] ?? -1, writeEnd: ends[1] ?? -1 };
    },
    resizePipe: (fd, bytes) => {
      fcntl(fd, F_SETPIPE_SZ, bytes);
      return checked('fcntl', or(fcntl(fd, F_GETPIPE_SZ, 0)));
    },
    epollCreate: () => checked('epoll_create1', or(epollCreate(EPOLL_CLOEXEC))),
    epollAdd: (epoll, fd, events, data) => {
      event[0] = events | 0;
      event[1] = data;
      checked('epoll_ctl', or(epollCtl(epoll, EPOLL_CTL_ADD, fd, event)));
    },
    epollDelete: (epoll, fd) => or(epollCtl(epoll, EPOLL_CTL_DEL, fd, event)),
    eventfd: () => checked('eventfd', or(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC))),
  };
}
