import { ViaductError } from '../../errors.js';
import { inPrefix, isWhole, parseAddress } from '../../route/address.js';
import { type Hop, type HostHop, formatHop, isParked } from '../../route/hop.js';
import { pinBegins } from '../../route/parked-name.js';
import {
  type AddressClass,
  type NetworkView,
  classOfClient,
  classOfTarget,
  isMoreInward,
} from './address.js';
import { KnownClasses } from './known-classes.js';
import { type RelayClient, type RelayFor, parseRelayFor, relaysFor } from './relay-for.js';
import { type DenyRule, type HopRule, isAbout } from './rules.js';

/** Ports below this one belong to other services; a relay dials them only if a rule allows it. */
const FIRST_ORDINARY_PORT = 1024;

/** How a node judges its clients: by their address, or all as strangers (behind a forwarder). */
export type ClientJudgement = 'observed' | 'public';

export interface PolicyOptions {
  /** Rules. They replace the defaults, unless the list is empty. */
  readonly allowHops: readonly HopRule[];
  /** Hops that are never dialled, whatever else allows them. @default none */
  readonly denyHops?: readonly DenyRule[];
  /** @default any client */
  readonly relayFor?: RelayFor;
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
  readonly #relayFor: RelayFor;
  readonly #deniedHosts: readonly HopRule[];
  readonly #deniedParked: readonly string[];
  readonly #clientClasses = new KnownClasses(classOfClient);
  readonly #targetClasses = new KnownClasses((address, view) => classOfTarget(address, view));
  readonly #ownPortClasses = new KnownClasses((address, view) => classOfTarget(address, view, true));

  constructor(options: PolicyOptions) {
    this.#options = options;
    const { relayFor = parseRelayFor(), denyHops = [] } = options;
    this.#relayFor = relayFor;
    this.#deniedHosts = denyHops.flatMap((rule) => ('parked' in rule ? [] : [rule]));
    this.#deniedParked = denyHops.flatMap((rule) => ('parked' in rule ? [rule.parked] : []));
  }

  /** The class of a client, by its address. */
  classOf(clientAddress: string): AddressClass {
    return this.#options.clients === 'public'
      ? 'public'
      : this.#clientClasses.of(clientAddress, this.#options.view());
  }

  /** @throws ViaductError PROHIBITED if this node does not relay for the client */
  checkClient(client: RelayClient, hop: Hop, label: string): void {
    if (relaysFor(this.#relayFor, client)) return;
    throw prohibited(label, hop, 'this node does not relay for this client (--relay-for)');
  }

  /**
   * Checks the name of a hop, before it is looked up.
   * @param parked the node that is parked here under the name or pin of the hop
   * @throws ViaductError PROHIBITED
   */
  checkName(hop: Hop, label: string, parked?: { readonly name: string; readonly pin: string }): void {
    const isDenied = isParked(hop)
      ? this.#deniedParked.some(
          (denied) =>
            denied === hop.parked ||
            (parked !== undefined && (denied === parked.name || pinBegins(parked.pin, denied))),
        )
      : this.#isDenied(hop, hop.host);
    if (isDenied) throw prohibited(label, hop, DENIED);
  }

  /**
   * Every address of the hop is checked, and one bad one refuses the hop.
   * @param label how the error calls the hop @default `next hop host:port`
   * @throws ViaductError PROHIBITED, naming the option that would allow it
   */
  check(
    client: AddressClass,
    hop: HostHop,
    addresses: readonly string[],
    label = `next hop ${formatHop(hop)}`,
  ): void {
    const refuse = (why: string): ViaductError => {
      const how = `--allow-hop ${formatHop(hop)} would allow it (and, as any rule, replace the default)`;
      return prohibited(label, hop, `${why}; ${how}`);
    };
    for (const address of addresses) {
      const target = this.#classOfTarget(address, hop.port);
      if (target === 'never') throw prohibited(label, hop, 'it is an address that a relay never dials');
      if (this.#isDenied(hop, address)) throw prohibited(label, hop, DENIED);
      if (this.#options.allowHops.length > 0) {
        if (!this.#options.allowHops.some((rule) => isAbout(rule, hop, address)))
          throw refuse('no --allow-hop rule names it');
      } else if (isMoreInward(target, client)) {
        // Without the address of a name: the client may be external, and the resolver internal.
        throw refuse(`it has a ${target} address and the client a ${client} one`);
      } else if (hop.port < FIRST_ORDINARY_PORT) {
        throw refuse(`ports below ${FIRST_ORDINARY_PORT} are not dialled`);
      }
    }
  }

  #classOfTarget(address: string, port: number): AddressClass | 'never' {
    // Itself, at its own port, is a node like any other: the same host may come up again in a route.
    const classes = port === this.#options.ownPort ? this.#ownPortClasses : this.#targetClasses;
    return classes.of(address, this.#options.view());
  }

  /** True if a rule names this very host, not just a range: then it need not be a node. */
  isNamed(hop: HostHop): boolean {
    const address = parseAddress(hop.host);
    return this.#options.allowHops.some(
      ({ matches, prefix, lowest, highest }) =>
        hop.port >= lowest &&
        hop.port <= highest &&
        (matches(hop.host.toLowerCase()) ||
          (prefix !== undefined && address !== undefined && isWhole(prefix) && inPrefix(address, prefix))),
    );
  }

  /** For whom this node relays, in a few words, without names and addresses. */
  get summary(): string {
    const { outermost, prefixes } = this.#relayFor;
    if (outermost === 'public') return this.#where;
    return outermost === undefined && prefixes.length === 0
      ? FOR_NO_CLIENT
      : `for some clients, ${this.#where}`;
  }

  /** The same for the operator. */
  get description(): string {
    const { text } = this.#relayFor;
    if (text === 'none') return FOR_NO_CLIENT;
    const denied = this.#deniedHosts.length + this.#deniedParked.length;
    const except = denied === 0 ? '' : `, except to what --deny-hop names`;
    return `for ${text === 'any' ? 'all clients' : `clients of ${text}`}, ${this.#where}${except}`;
  }

  get #where(): string {
    if (this.#options.allowHops.length > 0) return 'to hops that the operator has named';
    return this.#options.clients === 'public'
      ? 'to public addresses'
      : 'never further inward than the client';
  }

  #isDenied(hop: HostHop, address: string): boolean {
    return this.#deniedHosts.some((rule) => isAbout(rule, hop, address));
  }
}

const FOR_NO_CLIENT = 'for no client';
const DENIED = 'a --deny-hop rule names it';

function prohibited(label: string, hop: Hop, why: string): ViaductError {
  return new ViaductError('PROHIBITED', `${label} is prohibited: ${why}`, { hopAddress: formatHop(hop) });
}
