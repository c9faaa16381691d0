import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { type Endpoint, peerUser } from '../../system/peer-user.js';

/** A browser that starts may take this long to ask. */
const TICKET_MS = 60_000;

const ROOT = 0;

/** A path segment that cannot be guessed: 128 random bits in base64url. */
export function newSecret(): string {
  return randomBytes(16).toString('base64url');
}

/** Compares in a time that does not depend on how much of it is right. */
export function isSecret(given: string, secret: string): boolean {
  return timingSafeEqual(digest(given), digest(secret));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Secrets that are valid once, for a short time. */
export class Tickets {
  readonly #valid = new Map<string, number>();

  issue(): string {
    const ticket = newSecret();
    this.#valid.set(ticket, performance.now() + TICKET_MS);
    return ticket;
  }

  /**
   * Whether it is valid; it no longer is afterwards. Where the system shows whose process the peer is, a process of
   * another user neither gets nor spends it; one of root may belong to a forwarder, as in WSL.
   * @param ends of the connection, at the peer and here
   */
  async redeem(ticket: string, ends: { readonly peer: Endpoint; readonly own: Endpoint }): Promise<boolean> {
    const isOwn = (): boolean => [...this.#valid.keys()].some((valid) => isSecret(ticket, valid));
    if (!isOwn()) return false;
    const user = await peerUser(ends.peer, ends.own);
    const own = process.getuid?.();
    if (user === 'gone') return false;
    if (user !== undefined && own !== undefined && ![own, ROOT].includes(user)) return false;
    const until = this.#valid.get(ticket);
    this.#valid.delete(ticket);
    return until !== undefined && performance.now() < until;
  }
}
