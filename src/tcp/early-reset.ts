import { systemCode } from '../errors.js';

/** A node at its limit resets new connections, on both wires: this is all that its peer sees of it. */
export const MAY_BE_FULL = 'it may have reached its limit of connections (--max-connections)';

/** True for the error of a stream that the peer reset. */
export function isReset(error: unknown): boolean {
  const code = systemCode(error);
  return code === 'ECONNRESET' || code === 'EPIPE';
}

/**
 * How a peer ended a connection without a byte of a reply, as a clause after its name.
 * @param when such as `before it replied`
 * @param error of the stream
 */
export function earlyEnd(when: string, error: unknown): string {
  return isReset(error) ? `reset the connection ${when}: ${MAY_BE_FULL}` : `closed the connection ${when}`;
}
