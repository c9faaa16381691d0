import { systemCalls } from '../system/calls.js';

/*
 * The classic reply has no length, so a clean FIN is its only sign of a whole file. A process that is
 * killed with -9 has its sockets closed by the kernel, which sends FIN: damage that looks whole
 * (measured). With SO_LINGER {on, 0 s} the kernel sends RST instead, so every socket carries it until
 * its FIN is queued. Node has no call for it; koffi, an optional dependency, reaches setsockopt(2).
 */

/** Why this process cannot turn its death into resets, or undefined if it can. */
export function resetOnDeathMissing(): string | undefined {
  const calls = systemCalls();
  return 'missing' in calls ? calls.missing : undefined;
}

/** Arms a listener, and with it every socket that it will accept. Without koffi it does nothing. */
export function setResetOnDeath(listener: number | undefined): void {
  setLinger(listener, 1);
}

/** Something with a socket, as long as that is open. */
interface HasDescriptor {
  readonly descriptor: number | undefined;
}

/**
 * A dialled connection is armed so late: most that fetch a small reply are gone by then, and arming takes two system calls. To its
 * peer a death before that looks like half-close.
 */
const ARMING_MS = 100;

/** Whether closing a socket in any way but after {@link clear} sends RST. */
export class ResetOnDeath {
  readonly #socket: HasDescriptor;
  #isSet: boolean;
  #soon: NodeJS.Timeout | undefined;

  /** @param isSet its listener was armed */
  constructor(socket: HasDescriptor, isSet: boolean) {
    this.#socket = socket;
    this.#isSet = isSet;
  }

  get isSet(): boolean {
    return this.#isSet;
  }

  set(): void {
    this.forget();
    if (!this.#isSet) setLinger(this.#socket.descriptor, 1);
    this.#isSet = true;
  }

  /** Sets it after 0.1 s. */
  setSoon(): void {
    this.#soon = setTimeout(() => this.set(), ARMING_MS).unref();
  }

  /** Takes it back: to be called once the FIN is queued, since from here on a close must not destroy data. */
  clear(): void {
    this.forget();
    if (this.#isSet) setLinger(this.#socket.descriptor, 0);
    this.#isSet = false;
  }

  /** The socket is being closed. */
  forget(): void {
    clearTimeout(this.#soon);
  }
}

function setLinger(fd: number | undefined, on: 0 | 1): void {
  const calls = systemCalls();
  // Can only fail on a socket that is gone already, which its own events report.
  if (fd !== undefined && !('missing' in calls)) calls.setLinger(fd, on);
}
