import type { HostHop } from '../../route/hop.js';
import { EAGAIN, EPOLLIN } from '../../system/calls.js';
import type { Incoming } from '../incoming.js';
import { withoutMapping } from '../remote.js';
import type { Polled } from './poller.js';
import type { Sockets } from './sockets.js';
import { DescriptorStream } from './stream.js';

/** Connections that are accepted in one turn, before those that are there have theirs. */
const TURN_CONNECTIONS = 16;

/** errno.h, negative: there are too many descriptors, or too little memory. */
const EXHAUSTED = new Set([-24, -23, -105, -12]);
/** Until then connections wait in the kernel's queue. */
const PAUSE_MS = 100;

/** Accepts the connections of a listening socket. */
export class DescriptorListener implements Polled {
  readonly #sockets: Sockets;
  /** -1 once it is closed. */
  #fd: number;
  readonly #handle: (incoming: Incoming) => void;
  #number: number | undefined;
  #pause: NodeJS.Timeout | undefined;

  /** @param fd its own from here on @throws SystemCallError ENOSPC, ENOMEM */
  constructor(sockets: Sockets, fd: number, handle: (incoming: Incoming) => void) {
    this.#sockets = sockets;
    this.#fd = fd;
    this.#handle = handle;
    this.#number = sockets.poller.add(fd, this, EPOLLIN);
  }

  /** More than once does no harm. */
  close(): void {
    const fd = this.#fd;
    if (fd < 0) return;
    this.#fd = -1;
    clearTimeout(this.#pause);
    if (this.#number !== undefined) this.#sockets.poller.delete(this.#number);
    this.#number = undefined;
    this.#sockets.calls.close(fd);
  }

  /** Of those that are left the next turn tells: with edges, and turns of its own, small replies took half as much time again (measured). */
  notice(): void {
    for (let left = TURN_CONNECTIONS; left > 0; left -= 1) {
      if (this.#number === undefined) return;
      const fd = this.#sockets.calls.accept(this.#fd);
      if (fd >= 0) this.#handle(this.#incoming(fd));
      else if (EXHAUSTED.has(fd)) return this.#rest();
      // Otherwise that connection is gone, and the next one may be there.
      else if (fd === EAGAIN) return;
    }
  }

  #incoming(fd: number): Incoming {
    const sockets = this.#sockets;
    const { host, port } = sockets.calls.acceptedFrom();
    const remote: HostHop = { host: withoutMapping(host), port };
    return {
      remote,
      accept: () => DescriptorStream.accepted(sockets, fd, remote),
      // The listener is armed: it is reset.
      refuse: () => void sockets.calls.close(fd),
    };
  }

  #rest(): void {
    if (this.#number !== undefined) this.#sockets.poller.delete(this.#number, this.#fd);
    this.#number = undefined;
    this.#pause = setTimeout(() => {
      try {
        this.#number = this.#sockets.poller.add(this.#fd, this, EPOLLIN);
      } catch {
        this.#rest();
      }
    }, PAUSE_MS);
  }
}
