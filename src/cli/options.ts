import { InvalidArgumentError, Option } from 'commander';
import { MAX_TIMER_MS } from '../defaults.js';
import { type ProxyConfig, parseProxy } from '../proxy/config.js';
import { parseBytes } from '../text.js';

/** A timeout: seconds for the user, milliseconds for the program. */
export function secondsOption(
  flag: string,
  description: string,
  defaultMs: number | undefined,
  allowsZero = false,
): Option {
  const option = new Option(`${flag} <seconds>`, description);
  if (defaultMs !== undefined) option.default(defaultMs, String(defaultMs / 1000));
  return option.argParser((text: string) => {
    const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
    const valid = (allowsZero ? seconds >= 0 : seconds > 0) && seconds * 1000 <= MAX_TIMER_MS;
    if (!valid)
      throw new InvalidArgumentError(`Expected seconds, ${allowsZero ? '0 or more' : 'more than 0'}.`);
    return seconds * 1000;
  });
}

/** A limit: a whole number from 1. */
export function countOption(flag: string, description: string, defaultCount: number): Option {
  return new Option(`${flag} <n>`, description).default(defaultCount).argParser(parseCount);
}

/** A whole number from 1. */
export function parseCount(text: string): number {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (count < 1) throw new InvalidArgumentError('Expected a whole number from 1.');
  return count;
}

/** Bytes, from 0. */
export function parseSize(text: string): number {
  const bytes = parseBytes(text);
  if (bytes === undefined) throw new InvalidArgumentError('Expected a size, such as 500M or 10G.');
  return bytes;
}

/** An empty one would be the working folder: most likely a variable of the shell is not set. */
export function parseFolder(text: string): string {
  if (text === '') throw new InvalidArgumentError('Expected the path of a folder.');
  return text;
}

export function parseFile(text: string): string {
  if (text === '') throw new InvalidArgumentError('Expected the path of a file.');
  return text;
}

/** Whether an option may be given several times. Commander has no mark of it for a function that collects values. */
export function isRepeatable({ description }: Option): boolean {
  return description.includes('repeatable');
}

/** Description of the argument that names a file or folder and its route. */
export const WHERE =
  'host:port/path, with relays as in http://h1:12000/@h2:11000/path; or path behind the name of a route, lab:path';

/** The same, if its last part may be a pattern. */
export const WHERE_OR_PATTERN = `${WHERE}; * ? [a-z] in its last part match names`;

/** Relays as a list; a second `-J` adds to the first. */
export function jumpOption(): Option {
  const option = new Option(
    '-J, --jump <relays>',
    'relays before the host, as in ssh: h1:12000,h2:11000, or the name of a route; repeatable',
  );
  return option.argParser((relays: string, before: string | undefined) =>
    before === undefined ? relays : `${before},${relays}`,
  );
}

export function routeOption(): Option {
  return new Option('--route <file>', 'read name and route from an input file, - for standard input');
}

/** A proxy, or `none`: no proxy, whatever the environment has. */
export function proxyOption(description: string): Option {
  return new Option('--proxy <url>', description).argParser((url: string): ProxyConfig | 'none' =>
    url === 'none' ? url : parseProxy(url),
  );
}

/** For every command that uses keys or known hosts. */
export function stateOption(): Option {
  return new Option(
    '--state <dir>',
    'folder of keys and known hosts (default: $XDG_STATE_HOME/viaduct or ~/.local/state/viaduct)',
  ).argParser(parseFolder);
}

/** For the node, and for the command that changes the file. */
export function authorizedOption(): Option {
  return new Option(
    '--authorized <file>',
    'keys of clients that may read, a pin a line (default: authorized_keys in the state folder)',
  ).argParser(parseFile);
}

/** The options that `get`, `ls`, `trace` and `client` share. */
export const DESCRIPTIONS = {
  timeout: 'timeout: no data received',
  connectTimeout: 'timeout: connect to the first hop',
  proxy:
    'proxy to the first hop: http://, socks5h:// or socks5://, or none (default: HTTPS_PROXY or ALL_PROXY, but for NO_PROXY)',
  maxHops: 'maximum hops in a route',
} as const;
