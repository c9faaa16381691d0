import { ViaductError } from '../../errors.js';
import { type Prefix, inPrefix, parseAddress, parsePrefix } from '../../route/address.js';
import { visible } from '../../text.js';
import { type AddressClass, CLASSES, isMoreInward } from './address.js';

/*
 * For whom a node relays:
 *
 *   relay-for = "any" / "none" / rule *( "," rule )
 *   rule      = "loopback" / "private" / "public" / address [ "/" bits ]
 *
 * A class stands for its clients and for those further inside; an address for the client as the connection shows it.
 */
export interface RelayFor {
  /** The outermost class that a rule names; undefined: none does. */
  readonly outermost: AddressClass | undefined;
  readonly prefixes: readonly Prefix[];
  /** The rules as they were given. */
  readonly text: string;
}

/** A client that asks a node to relay. */
export interface RelayClient {
  /** Of the connection: with relays before this node, of the nearest one. */
  readonly address: string;
  /** The class of that address. */
  readonly observed: () => AddressClass;
  /** The outermost class of {@link observed} and what the nodes before this one have seen. */
  readonly class: AddressClass;
}

/** @param values each a rule, or several with commas; none: `any` @throws ViaductError USAGE */
export function parseRelayFor(values: readonly string[] = ['any']): RelayFor {
  const rules = values.flatMap((value) => value.split(',')).map((rule) => rule.trim().toLowerCase());
  const text = rules.length === 0 ? 'none' : rules.join(',');
  if (text === 'any') return { outermost: 'public', prefixes: [], text };
  if (text === 'none') return { outermost: undefined, prefixes: [], text };
  let outermost: AddressClass | undefined;
  const prefixes: Prefix[] = [];
  for (const rule of rules) {
    const named = CLASSES.find((each) => each === rule);
    const prefix = named === undefined ? parsePrefix(rule) : undefined;
    if (prefix !== undefined) prefixes.push(prefix);
    else if (named === undefined) throw malformed(rule, rules.length > 1);
    else if (outermost === undefined || isMoreInward(outermost, named)) outermost = named;
  }
  return { outermost, prefixes, text };
}

function malformed(rule: string, isOneOfMany: boolean): ViaductError {
  const message =
    isOneOfMany && (rule === 'any' || rule === 'none')
      ? `--relay-for ${rule} excludes other values`
      : `"${visible(rule)}" is none of any, none, loopback, private, public, and no address or CIDR (--relay-for)`;
  return new ViaductError('USAGE', message);
}

/**
 * Both the connection and what is known of the clients before it have to be allowed, so that a relay inside does not bring
 * in clients from outside. A claim that is no further outside than the connection adds nothing.
 */
export function relaysFor({ outermost, prefixes }: RelayFor, client: RelayClient): boolean {
  const isWithin = (known: AddressClass): boolean =>
    outermost !== undefined && !isMoreInward(outermost, known);
  if (isWithin(client.class)) return true;
  const address = parseAddress(client.address);
  if (client.class !== client.observed() || address === undefined) return false;
  return prefixes.some((prefix) => inPrefix(address, prefix));
}
