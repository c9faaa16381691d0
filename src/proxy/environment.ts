import { withContext } from '../errors.js';
import { type ProxyConfig, parseProxy } from './config.js';

/** Most important first: curl's order for an https:// URL. */
const VARIABLES = ['https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'] as const;

/**
 * The proxy that the environment names, as curl reads it: `HTTPS_PROXY`, since tunnels are asked for, then `ALL_PROXY`; of
 * each the name in lower case first; an empty value counts as none. `HTTP_PROXY` is not read: it is for http:// URLs without
 * a tunnel, and a web server sets it from a field of the request (CGI).
 * @throws ViaductError USAGE that names the variable
 */
export function proxyFromEnvironment(env: NodeJS.ProcessEnv): ProxyConfig | undefined {
  const name = VARIABLES.find((each) => hasValue(env[each]));
  if (name === undefined) return undefined;
  try {
    return withNoProxy(parseProxy(env[name] ?? ''), env);
  } catch (error) {
    throw withContext(error, (message) => `the variable ${name}: ${message}`);
  }
}

/** The proxy with the hosts of `NO_PROXY`, which as with curl counts for `--proxy` too. */
export function withNoProxy(proxy: ProxyConfig, env: NodeJS.ProcessEnv): ProxyConfig {
  const noProxy = hasValue(env['no_proxy']) ? env['no_proxy'] : env['NO_PROXY'];
  return hasValue(noProxy) ? { ...proxy, noProxy } : proxy;
}

function hasValue(text: string | undefined): boolean {
  return text !== undefined && text !== '';
}
