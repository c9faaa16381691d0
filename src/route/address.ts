import ipaddr from 'ipaddr.js';

/* Addresses as text, and what IANA's registries say of them. What a host's own networks add is in node/access/. */

export type Address = ipaddr.IPv4 | ipaddr.IPv6;
export type Prefix = readonly [Address, number];

/** Metadata services of clouds that stand at addresses of an ordinary kind. */
const METADATA = new Set([
  '100.100.100.200', // Alibaba
  '168.63.129.16', // Azure
  'fd00:ec2::254', // AWS
  'fd20:ce::254', // Google
  'fd00:c1::a9fe:a9fe', // Oracle
]);

/** Global unicast (RFC 4291 §2.4, as assigned by IANA); other IPv6 ranges are not in use or hide an IPv4 address. */
const GLOBAL_IPV6: Prefix = [ipaddr.IPv6.parse('2000::'), 3];

/** An address as the system writes it, without zone; undefined if it is none. */
export function parseAddress(text: string): Address | undefined {
  const bare = text.replace(/%.*$/, '');
  // Each is asked only for what could be its own: its "no" is an exception inside, and addresses are many.
  if (bare.includes(':')) return ipaddr.IPv6.isValid(bare) ? ipaddr.IPv6.parse(bare) : undefined;
  return ipaddr.IPv4.isValidFourPartDecimal(bare) ? ipaddr.IPv4.parse(bare) : undefined;
}

/** True if the address lies in the prefix; an IPv4 address never lies in an IPv6 one. */
export function inPrefix(address: Address, [base, bits]: Prefix): boolean {
  return address.kind() === base.kind() && address.match(base, bits);
}

/** True for a prefix that is a single address. */
export function isWhole([base, bits]: Prefix): boolean {
  return bits === (base.kind() === 'ipv4' ? 32 : 128);
}

/** `address/bits`, as interfaces and rules have it; undefined if it is not one. */
export function parsePrefix(text: string): Prefix | undefined {
  const [addressText = '', bitsText, ...more] = text.split('/');
  const address = parseAddress(addressText);
  if (address === undefined || more.length > 0 || addressText.includes('%')) return undefined;
  const width = address.kind() === 'ipv4' ? 32 : 128;
  if (bitsText === undefined) return [address, width];
  const bits = /^[0-9]{1,3}$/.test(bitsText) ? Number(bitsText) : Infinity;
  return bits <= width ? [address, bits] : undefined;
}

/** True for the metadata service of a cloud. */
export function isMetadata(address: Address): boolean {
  return METADATA.has(address.toString());
}

/** True for an address that means the same host from everywhere: an ordinary one of the public Internet. */
export function isGlobal(address: Address): boolean {
  if (address.range() !== 'unicast' || isMetadata(address)) return false;
  return address.kind() === 'ipv4' || inPrefix(address, GLOBAL_IPV6);
}
