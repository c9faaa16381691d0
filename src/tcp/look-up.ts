import type { Signal } from '../signal.js';
import { isIP } from 'node:net';
import { ViaductError, systemCode } from '../errors.js';
import { type HostHop, formatHop } from '../route/hop.js';
import type { Resolver } from './resolver.js';

export interface LookUpOptions {
  /** The hop in error messages. */
  readonly label: string;
  /** As in {@link Resolver.resolve}. @default the same for all */
  readonly client?: string;
  readonly signal: Signal;
}

/**
 * All addresses of a hop; an address is its own.
 * @throws ViaductError DNS_ERROR; the signal's reason
 */
export async function addressesOf(
  hop: HostHop,
  resolver: Resolver,
  { label, client = '', signal }: LookUpOptions,
): Promise<readonly string[]> {
  if (isIP(hop.host) !== 0) return [hop.host];
  try {
    return await resolver.resolve(hop.host, client, signal);
  } catch (cause) {
    if (signal.aborted) throw cause;
    const why =
      systemCode(cause) === 'EAI_AGAIN' ? 'cannot be resolved now' : 'does not resolve to an address';
    throw new ViaductError('DNS_ERROR', `${label} ${why}`, { hopAddress: formatHop(hop), cause });
  }
}
