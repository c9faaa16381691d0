import { X509Certificate } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import { hostname } from 'node:os';
import { ViaductError } from '../../errors.js';
import { parseHost, parseParked } from '../../route/hop.js';
import { visible } from '../../text.js';

/*
 * A name that `--host-name` gives:
 *
 *   name = "*" / [ "*." ] host      ; *.example.org: every name below example.org, not example.org itself
 */

/** Whether a name in lower case is allowed. */
export type NameRule = (name: string) => boolean;

/** @throws ViaductError USAGE if the text is not a name */
export function parseNameRule(text: string): NameRule {
  if (text === '*') return () => true;
  const isDomain = text.startsWith('*.');
  const host = parseHost(withoutDot(text.slice(isDomain ? 2 : 0)))?.toLowerCase();
  if (host === undefined)
    throw new ViaductError('USAGE', `"${visible(text)}" is not a host name, *.domain or * (--host-name)`);
  return isDomain ? (name) => name.endsWith(`.${host}`) : (name) => name === host;
}

export interface HostNamesOptions {
  /** Rules of `--host-name`. */
  readonly rules: readonly NameRule[];
  /** The address or name of `--host`. */
  readonly host?: string | undefined;
  /** Asked at each decision, since a network may give the machine another name. @default that of the system */
  readonly machine?: () => string;
}

/**
 * The names that clients may call this node by. A page of a browser comes from a host name that its owner chose, and may
 * let that name lead to this node (DNS rebinding): the browser then takes this node for the host of the page. Addresses are
 * no danger, since an address leads nowhere else.
 */
export class HostNames {
  readonly #options: HostNamesOptions;
  #certificate: X509Certificate | undefined;

  constructor(options: HostNamesOptions) {
    this.#options = options;
  }

  /** The names in a certificate are the node's too; one that `viaduct` made has none. @param pem with its chain */
  useCertificate(pem: string): void {
    this.#certificate = new X509Certificate(pem);
  }

  /** @param authority as in `Host`, `name:port` */
  allows(authority: string): boolean {
    const name = nameOf(authority);
    if (name === undefined || name === '') return false;
    if (isAddress(name) || name === 'localhost' || name.endsWith('.localhost')) return true;
    if (parseParked(name) !== undefined) return true;
    const { rules, host, machine = hostname } = this.#options;
    const own = withoutDot(machine().toLowerCase());
    const given = host === undefined ? undefined : withoutDot(host.toLowerCase());
    return (
      [own, own.split('.', 1)[0], given].includes(name) ||
      rules.some((allows) => allows(name)) ||
      this.#certificate?.checkHost(name, { subject: 'never', partialWildcards: false }) !== undefined
    );
  }
}

/** The name in `Host` without its port, in the only form that is compared; undefined if it is malformed. */
export function nameOf(authority: string): string | undefined {
  const [, name] = /^(\[[^\]]*\]|[^:]*)(?::\d*)?$/.exec(authority) ?? [];
  return name === undefined ? undefined : withoutDot(name.toLowerCase());
}

function isAddress(name: string): boolean {
  return isIPv4(name) || (name.startsWith('[') && isIPv6(name.slice(1, -1)));
}

/** `h1.` is `h1`, written as a name that is complete. */
function withoutDot(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name;
}
