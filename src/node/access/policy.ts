import { ViaductError } from '../../errors.js';
import { inPrefix, isWhole, parseAddress } from '../../route/address.js';
import { type Hop, formatHop } from '../../route/hop.js';
import {
  type AddressClass,
  type NetworkView,
  classOfClient,
  classOfTarget,
  isMoreInward,
} from './address.js';
import type { HopRule } from './rules.js';

/** Ports below this one belong to other services; a relay dials them only if a rule allows it. */
const FIRST_ORDINARY_PORT = 1024;

/** How a node judges its clients: by their address, or all as strangers (behind a forwarder). */
export type ClientJudgement = 'observed' | 'public';

export interface PolicyOptions {
  /** Rules. They replace the defaults, unless the list is empty. */
  readonly allowHops: readonly HopRule[];
  readonly clients: ClientJudgement;
  /** This host's networks, asked at every decision. */
  readonly view: () => NetworkView;
  /** The port that this node listens on. */
  readonly ownPort: number;
}

/**
 * Whom a relay dials: never inward. By default, only addresses that are no further inside than the
 * client's, and ports from 1024; with rules, only what they name. Some addresses are never dialled.
 */
export class Policy {
  readonly #options: PolicyOptions;

  constructor(options: PolicyOptions) {
    this.#options = options;
  }

  /** The class of a client, by its address. */
  classOf(clientAddress: string): AddressClass {
    return this.#options.clients === 'public' ? 'public' : classOfClient(clientAddress, this.#options.view());
  }

  /**
   * Every address of the hop is checked, and one bad one refuses the hop.
   * @param label how the error calls the hop @default `next hop host:port`
   * @throws ViaductError PROHIBITED, naming the option that would allow it
   */
  check(
    client: AddressClass,
    hop: Hop,
    addresses: readonly string[],
    label = `next hop ${formatHop(hop)}`,
  ): void {
    const prohibited = (why: string, allow: boolean): ViaductError => {
      const how = allow
        ? `; --allow-hop ${formatHop(hop)} would allow it (and, as any rule, replace the default)`
        : '';
      return new ViaductError('PROHIBITED', `${label} is prohibited: ${why}${how}`, {
        hopAddress: formatHop(hop),
      });
    };
    for (const address of addresses) {
      const target = this.#classOfTarget(address, hop.port);
      if (target === 'never') throw prohibited('it is an address that a relay never dials', false);
      if (this.#options.allowHops.length > 0) {
        if (!this.#allowed(hop, address)) throw prohibited('no --allow-hop rule names it', true);
      } else if (isMoreInward(target, client)) {
        // Without the address of a name: the client may be external, and the resolver internal.
        throw prohibited(`it has a ${target} address and the client a ${client} one`, true);
      } else if (hop.port < FIRST_ORDINARY_PORT) {
        throw prohibited(`ports below ${FIRST_ORDINARY_PORT} are not dialled`, true);
      }
    }
  }

  #classOfTarget(address: string, port: number): AddressClass | 'never' {
    // Itself, at its own port, is a node like any other: the same host may come up again in a route.
    return classOfTarget(address, this.#options.view(), port === this.#options.ownPort);
  }

  /** True if a rule names this very host, not just a range: then it need not be a node. */
  isNamed(hop: Hop): boolean {
    const address = parseAddress(hop.host);
    return this.#rulesFor(hop).some(
      ({ matches, prefix }) =>
        matches(hop.host.toLowerCase()) ||
        (prefix !== undefined && address !== undefined && isWhole(prefix) && inPrefix(address, prefix)),
    );
  }

  /** For whom this node relays, in a few words. */
  get summary(): string {
    if (this.#options.allowHops.length > 0) return 'to hops that the operator has named';
    return this.#options.clients === 'public'
      ? 'to public addresses'
      : 'never further inward than the client';
  }

  #allowed(hop: Hop, addressText: string): boolean {
    const host = hop.host.toLowerCase();
    const address = parseAddress(addressText);
    return this.#rulesFor(hop).some(
      ({ matches, prefix }) =>
        matches(host) || (prefix !== undefined && address !== undefined && inPrefix(address, prefix)),
    );
  }

  #rulesFor({ port }: Hop): HopRule[] {
    return this.#options.allowHops.filter(({ lowest, highest }) => port >= lowest && port <= highest);
  }
}
