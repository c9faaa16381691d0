import { SILENCE_MS } from '../../defaults.js';
import { type Route, formatHop } from '../../route/hop.js';
import type { Scheme } from '../../route/location.js';
import { formatTarget } from '../../route/url.js';
import type { ByteStream } from '../../tcp/byte-stream.js';
import { firstAnswer } from '../../tcp/first-answer.js';
import { type Field, formatHead } from '../../wire/http/head.js';
import type { FinalReply } from '../../wire/http/reply.js';
import { clientVia } from '../../wire/http/via.js';
import { splitRoute } from '../first-hop.js';
import type { Encryption } from './encryption.js';
import { type LinkOptions, connectLink } from './link.js';
import { readReplyHead } from './reply-head.js';
import type { Peer } from './reply.js';
import { headLimitMs } from './secure.js';

export interface Question {
  readonly method: string;
  /** At the last hop. */
  readonly path: string;
  /** Besides `Host` and `Via`. */
  readonly fields: readonly Field[];
  /** It asks for another protocol: 101 is a final reply. @default false */
  readonly maySwitch?: boolean;
}

export interface AskOptions extends LinkOptions {
  /** Called right before the request is sent. */
  readonly onSend?: (() => void) | undefined;
}

/**
 * Sends a request to the first hop of a route and reads the head of the final reply, which may be an error. After a failure
 * the connection is reset.
 * @param scheme of the first link
 * @throws ViaductError as {@link connectLink} and {@link readReplyHead}
 */
export async function askFirstHop(
  route: Route,
  scheme: Scheme,
  { method, path, fields, maySwitch = false }: Question,
  encryption: Encryption,
  options: AskOptions,
): Promise<FinalReply & { readonly peer: Peer }> {
  const { timeoutMs = SILENCE_MS, signal = new AbortController().signal } = options;
  const { first, left } = splitRoute(route, options);
  const target = formatTarget({ route: left, path });
  const dial = async (except?: string): Promise<ByteStream> => {
    const stream = await connectLink(route, scheme, encryption, options, except);
    options.onSend?.();
    const own = [['Host', formatHop(first)], clientVia()] as const;
    stream.write(formatHead(`${method} ${target} HTTP/1.1`, [...own, ...fields]));
    return stream;
  };
  const limitMs = headLimitMs(route, options);
  const answer = await firstAnswer(await dial(), { host: first.host, limitMs, another: dial, signal });
  const peer: Peer = { stream: answer.stream, hop: first, number: 1, timeoutMs, signal };
  try {
    return { ...(await readReplyHead(peer, answer, limitMs, maySwitch)), peer };
  } catch (error) {
    answer.stream.reset();
    throw error;
  }
}
