import type { ErrorCode, ViaductError } from '../errors.js';
import type { HostHop } from '../route/hop.js';
import {
  decodeConnectReply,
  decodeLoginReply,
  decodeMethod,
  encodeConnect,
  encodeGreeting,
  encodeLogin,
} from '../wire/socks5.js';
import type { ProxyLogin } from './config.js';
import { type ProxyLink, hopFault } from './link.js';

const NOT_A_PROXY = 'check the port, and whether the proxy speaks HTTP: http://';
const LOGIN = 'give user and password, as in ALL_PROXY=socks5h://USER:PASSWORD@HOST:PORT';

/** Codes for targets that the proxy has tried (RFC 1928 §6): certain enough to be the hop's own failure. */
const TARGET_FAILURES: Readonly<Record<number, readonly [code: ErrorCode, what: string, hint?: string]>> = {
  3: ['UNREACHABLE', 'cannot be reached: network unreachable', 'check the network between proxy and hop'],
  4: ['UNREACHABLE', 'cannot be reached: host unreachable', 'check the network between proxy and hop'],
  5: ['REFUSED', 'refused the connection'],
  6: ['CONNECT_TIMEOUT', 'did not answer: TTL expired'],
};

/** All others. */
const FAILURES: Readonly<Record<number, readonly [what: string, hint?: string]>> = {
  1: [
    'reports a general failure',
    'the log of the proxy may have the reason, such as a name that it cannot resolve',
  ],
  2: ['does not allow this connection', 'the proxy may allow only some hosts or ports; ask its operator'],
  7: ['does not know CONNECT'],
  8: ['does not know this kind of address', 'it may have no IPv6, or not look up names: socks5://'],
};

/** Their next attempt, or another address, may do better. */
const MAY_PASS: ReadonlySet<number> = new Set([1, 8]);

/**
 * Asks a SOCKS 5 proxy for a tunnel.
 * @returns undefined once the tunnel is open; the error if the proxy works but cannot reach the target
 * @throws ViaductError PROXY_ERROR; the signal's reason
 */
export async function openWithSocks5(
  link: ProxyLink,
  target: HostHop,
  login: ProxyLogin | undefined,
): Promise<ViaductError | undefined> {
  const method = await link.ask(encodeGreeting(login !== undefined), decodeMethod, NOT_A_PROXY);
  link.requireNothing(method.rest);
  if (method.value === 'refused')
    throw login === undefined
      ? link.fault('wants a login', { hint: LOGIN, transient: false })
      : link.fault('accepts neither user and password nor a client without them', {
          hint: 'viaduct has no other login: ask the operator of the proxy for one of these',
          transient: false,
        });
  if (method.value === 'password') await logIn(link, login);
  const reply = await link.ask(encodeConnect(target), decodeConnectReply, NOT_A_PROXY);
  const code = reply.value;
  if (code === 0) {
    link.requireNothing(reply.rest);
    return undefined;
  }
  const failure = TARGET_FAILURES[code];
  if (failure !== undefined) return hopFault(link.names, ...failure);
  const [what, hint] = FAILURES[code] ?? [`reports a failure without a name (code ${code})`];
  const error = link.fault(what, { hint, transient: MAY_PASS.has(code) });
  if (MAY_PASS.has(code)) return error;
  throw error;
}

async function logIn(link: ProxyLink, login: ProxyLogin | undefined): Promise<void> {
  if (login === undefined)
    throw link.fault('chose a login that was not offered', { hint: LOGIN, transient: false });
  const accepted = await link.ask(encodeLogin(login), decodeLoginReply, 'check user and password');
  if (!accepted.value)
    throw link.fault('does not accept this user and password', {
      hint: 'check both, and their percent-encoding',
      transient: false,
    });
  link.requireNothing(accepted.rest);
}
