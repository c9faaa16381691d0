import type { ProxyConfig } from '../proxy/config.js';
import { proxyFromEnvironment, withNoProxy } from '../proxy/environment.js';

/** Parsed `--proxy` of a client command. */
export interface ProxyOptions {
  readonly proxy?: ProxyConfig | 'none';
}

/**
 * The proxy of a client command: that of `--proxy`, or of the environment. `NO_PROXY` counts for both.
 * @throws ViaductError USAGE that names the variable
 */
export function proxyFrom(
  { proxy }: ProxyOptions,
  env: NodeJS.ProcessEnv = process.env,
): ProxyConfig | undefined {
  if (proxy === undefined) return proxyFromEnvironment(env);
  return proxy === 'none' ? undefined : withNoProxy(proxy, env);
}
