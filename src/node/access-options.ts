import { HostNames, parseNameRule } from './access/host-names.js';
import type { PolicyOptions } from './access/policy.js';
import { parseRelayFor } from './access/relay-for.js';
import { parseDenyRule, parseHopRule } from './access/rules.js';
import type { NodeOptions } from './options.js';

/** What a node relays for whom, as its options say. @throws ViaductError USAGE */
export function rulesOf({
  allowHops = [],
  denyHops = [],
  relayFor,
  clients = 'observed',
}: NodeOptions): Omit<PolicyOptions, 'view' | 'ownPort'> {
  return {
    allowHops: allowHops.map(parseHopRule),
    denyHops: denyHops.map(parseDenyRule),
    relayFor: parseRelayFor(relayFor),
    clients,
  };
}

/** What clients may call a node. @throws ViaductError USAGE; Error of OpenSSL for a certificate that is none */
export function hostNamesOf({ hostNames = [], host, identity }: NodeOptions): HostNames {
  const names = new HostNames({ rules: hostNames.map(parseNameRule), host });
  if (identity !== undefined) names.useCertificate(identity.cert);
  return names;
}
