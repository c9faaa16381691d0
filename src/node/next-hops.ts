import type { ProxyConfig } from '../proxy/config.js';
import { ProxyDialler } from '../proxy/dialler.js';
import { connecting } from '../tcp/connecting.js';
import type { Sockets } from '../tcp/descriptor/sockets.js';
import { type Dialler, TcpDialler } from '../tcp/dial.js';
import { Resolver } from '../tcp/resolver.js';

/** Errors go to clients, which are not to learn the address of the proxy. */
const OWN_PROXY = 'the proxy of the relay before it';

/** What dials next hops. Either way the policy checks their addresses, and only these are dialled or asked for. */
export function nextHopDialler(proxy: ProxyConfig | undefined, own: Sockets | undefined): Dialler {
  return proxy === undefined
    ? new TcpDialler(new Resolver(), connecting(own))
    : new ProxyDialler(proxy, OWN_PROXY);
}
