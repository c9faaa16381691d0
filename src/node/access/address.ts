import ipaddr from 'ipaddr.js';
import { inPrefix, isGlobal, isMetadata, parseAddress, parsePrefix } from '../../route/address.js';

/**
 * How far inside an address is, seen from this host. `loopback`: this host itself; `private`: its own
 * networks; `public`: all others. A relay never dials further inward than its client stands.
 */
export const CLASSES = ['loopback', 'private', 'public'] as const;
export type AddressClass = (typeof CLASSES)[number];

/** The one of two classes that is further outside. */
export function outermost(a: AddressClass, b: AddressClass): AddressClass {
  return isMoreInward(a, b) ? b : a;
}

/** True if `target` is further inside than `client`. */
export function isMoreInward(target: AddressClass, client: AddressClass): boolean {
  return CLASSES.indexOf(target) < CLASSES.indexOf(client);
}

/** What this host knows of the networks that it stands in. */
export interface NetworkView {
  /** The interfaces' addresses with their prefix, such as `192.168.1.7/24`. */
  readonly own: readonly string[];
  /** Default gateways. */
  readonly gateways: readonly string[];
}

/**
 * The class of an address that may be dialled, or `never`: link-local, multicast, unspecified and
 * reserved ones, metadata services, and IPv6 forms that hide an IPv4 address (mapped, 6to4, NAT64, Teredo).
 * This host's own addresses count as loopback unless `ownAsOrdinary`.
 */
export function classOfTarget(
  text: string,
  view: NetworkView,
  ownAsOrdinary = false,
): AddressClass | 'never' {
  const address = parseAddress(text);
  if (address === undefined || isMetadata(address)) return 'never';
  const range = address.range();
  if (range === 'loopback') return 'loopback';
  const neverAtAll = [
    'unspecified',
    'broadcast',
    'multicast',
    'linkLocal',
    'ipv4Mapped',
    'rfc6145',
    'rfc6052',
    '6to4',
  ];
  if (neverAtAll.includes(range) || range === 'teredo') return 'never';
  const own = view.own.map(parsePrefix).filter((prefix) => prefix !== undefined);
  const isOwn = own.some(([base]) => base.toString() === address.toString());
  if (isOwn && !ownAsOrdinary) return 'loopback';
  if (['private', 'uniqueLocal', 'carrierGradeNat'].includes(range)) return 'private';
  // A host's own address is on its own link too, but that makes a public one no less public.
  const isOnLink = own.some((prefix) => inPrefix(address, prefix));
  if (isOnLink && !(isOwn && range === 'unicast')) return 'private';
  return isGlobal(address) ? 'public' : 'never';
}

/**
 * The class of a client by the address that it comes from. Whatever is not surely inside is public,
 * and so is the default gateway: it may stand for any client (hairpin NAT, container networks).
 */
export function classOfClient(text: string, view: NetworkView): AddressClass {
  const address = parseAddress(text);
  if (address === undefined) return 'public';
  const plain =
    address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
  const gateways = view.gateways.map((gateway) => parseAddress(gateway)?.toString());
  if (gateways.includes(plain.toString())) return 'public';
  const found = classOfTarget(plain.toString(), view);
  return found === 'never' ? 'public' : found;
}

/** What stands for one client where clients share something fairly: an IPv4 address, or an IPv6 /64. */
export function networkOf(text: string): string {
  if (!text.includes(':')) return text;
  const address = parseAddress(text);
  return address instanceof ipaddr.IPv6 ? address.parts.slice(0, 4).join(':') : text;
}
