import type { Lookup } from '#src/tcp/resolver.js';

/** A look-up that finds these addresses. */
export function finds(...addresses: readonly string[]): Lookup {
  return async () => addresses;
}
