import type { ProxyConfig } from '../proxy/config.js';
import { ProxyDialler } from '../proxy/dialler.js';
import { type Dialler, TcpDialler } from '../tcp/dial.js';

/** Errors go to clients, which are not to learn the address of the proxy. */
const OWN_PROXY = 'the proxy of the relay before it';

/** What dials next hops. Either way the policy checks their addresses, and only these are dialled or asked for. */
export function nextHopDialler(proxy: ProxyConfig | undefined): Dialler {
  return proxy === undefined ? new TcpDialler() : new ProxyDialler(proxy, OWN_PROXY);
}
