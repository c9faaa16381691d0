import { inPrefix, parseAddress, parsePrefix } from '../route/address.js';

/**
 * True if a host is dialled without a proxy. `list` is the value of `NO_PROXY`, read as curl does since 7.86:
 *
 * - `*` alone is for all hosts. As part of a list or of a name it means nothing.
 * - Members are separated by commas or blanks. (The newest versions of curl stop at a blank without a comma.)
 * - A name is for itself and for all names that end with it after a dot: `lab.example` is for `a.lab.example`, not for
 *   `mylab.example`. A dot at its beginning or its end does not count, and neither does case.
 * - An address is for itself, and a CIDR such as `10.0.0.0/8` for all its addresses: not for names that resolve to them.
 *   Addresses are compared, not their texts. An IPv6 address may have brackets. A length of 0 is for all addresses of the
 *   family, as curl documents it; its program takes 0 for a whole address.
 * - There are no ports: a member with one is for no host.
 *
 * `localhost` is a name like any other: it is dialled over the proxy, unless the list has it.
 */
export function isDirect(host: string, list = ''): boolean {
  if (list === '*') return true;
  const address = parseAddress(host);
  const isFor =
    address === undefined
      ? nameMatcher(host)
      : (member: string): boolean => {
          const prefix = parsePrefix(member.replace('[', '').replace(']', ''));
          return prefix !== undefined && inPrefix(address, prefix);
        };
  return list.split(/[, \t]/).some((member) => member !== '' && isFor(member));
}

function nameMatcher(host: string): (member: string) => boolean {
  const name = withoutLastDot(host.toLowerCase());
  return (member) => {
    const domain = withoutLastDot(member.toLowerCase()).replace(/^\./, '');
    return domain !== '' && (name === domain || name.endsWith(`.${domain}`));
  };
}

function withoutLastDot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name;
}
