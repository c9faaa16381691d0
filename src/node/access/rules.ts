import { ViaductError } from '../../errors.js';
import { type Prefix, inPrefix, parseAddress, parsePrefix } from '../../route/address.js';
import { type HostHop, type ParkedHop, parseHost, parseParked, parsePort } from '../../route/hop.js';
import { visible } from '../../text.js';

/** One `--allow-hop` or `--deny-hop`: which hosts, at which ports. */
export interface HopRule {
  readonly matches: (host: string) => boolean;
  readonly prefix: Prefix | undefined;
  readonly lowest: number;
  readonly highest: number;
}

/** One `--deny-hop`: as `--allow-hop`, or a parked node. */
export type DenyRule = HopRule | ParkedHop;

/** @throws ViaductError USAGE if the text is not a rule */
export function parseDenyRule(text: string): DenyRule {
  return parseParked(text) ?? parseHopRule(text);
}

/** Whether a rule is about this host at all: by its name, or the address that it has turned out to have. */
export function isAbout(
  { matches, prefix, lowest, highest }: HopRule,
  { host, port }: HostHop,
  addressText: string,
): boolean {
  if (port < lowest || port > highest) return false;
  const address = parseAddress(addressText);
  return (
    matches(host.toLowerCase()) ||
    (prefix !== undefined && address !== undefined && inPrefix(address, prefix))
  );
}

/*
 * Grammar of a rule:
 *
 *   rule  = where [ ":" port [ "-" port ] ]      ; no port: all ports
 *   where = host / "*." reg-name / IPv4 [ "/" bits ] / "[" IPv6 [ "/" bits ] "]" / IPv6 [ "/" bits ]
 */

/** @throws ViaductError USAGE if the text is not a rule */
export function parseHopRule(text: string): HopRule {
  const bad = new ViaductError(
    'USAGE',
    `"${visible(text)}" is not a rule: a host, *.domain or CIDR, each with an optional :port or :low-high`,
  );
  const bare = parsePrefix(text) === undefined ? text : `[${text}]`;
  const parts = /^(?<where>\[[^\]]*\]|[^:]*)(?::(?<low>\d+)(?:-(?<high>\d+))?)?$/.exec(bare)?.groups;
  if (parts === undefined) throw bad;
  const where = (parts['where'] ?? '').replace(/^\[(.*)\]$/, '$1').toLowerCase();
  const lowest = parts['low'] === undefined ? 1 : parsePort(parts['low']);
  const highest = parts['low'] === undefined ? 65_535 : parsePort(parts['high'] ?? parts['low']);
  if (lowest === undefined || highest === undefined || lowest > highest) throw bad;
  const prefix = parsePrefix(where);
  if (prefix !== undefined) return { matches: () => false, prefix, lowest, highest };
  const domain = where.startsWith('*.') ? where.slice(1) : undefined;
  if (where.includes('/') || bare.startsWith('[') || parseHost(domain?.slice(1) ?? where) === undefined)
    throw bad;
  const matches = (host: string): boolean => (domain === undefined ? host === where : host.endsWith(domain));
  return { matches, prefix: undefined, lowest, highest };
}
