import type { Route } from '../../route/hop.js';
import type { Scheme } from '../../route/location.js';
import type { Field } from '../../wire/http/head.js';
import type { ByteStream } from '../../tcp/byte-stream.js';
import { connectTo, splitRoute } from '../first-hop.js';
import type { Encryption } from './encryption.js';
import { type SecureOptions, brokenWhileChecked, secure } from './secure.js';

export interface LinkOptions extends SecureOptions {
  /** Of the request that the connection is for. */
  readonly fields?: readonly Field[] | undefined;
  /** Bytes that the kernel may buffer. @default set by the system */
  readonly receiveBuffer?: number | undefined;
}

/**
 * Connects to the first hop of a route.
 * @param scheme https: in TLS, and the key of the first hop is checked
 * @param except an address that was tried before
 * @throws ViaductError as {@link connectTo} and {@link secure}
 */
export async function connectLink(
  route: Route,
  scheme: Scheme,
  encryption: Encryption,
  options: LinkOptions,
  except?: string,
): Promise<ByteStream> {
  const { first } = splitRoute(route, options);
  const raw = await connectTo(first, options, except);
  if (options.receiveBuffer !== undefined) raw.limitReceiveBuffer(options.receiveBuffer);
  if (scheme === 'http') return raw;
  const stream = await secure([first], { stream: raw, begin: Buffer.alloc(0) }, encryption, options);
  if (stream === undefined) throw brokenWhileChecked([first]);
  return stream;
}
