import { ViaductError, asViaductError } from '../errors.js';
import { type HostHop, formatHop } from '../route/hop.js';
import { visible } from '../text.js';
import { type Field, type ReplyHead, formatHead, listOf } from '../wire/http/head.js';
import { type FinalReply, ReplyHeadReader } from '../wire/http/reply.js';
import type { ProxyLogin } from './config.js';
import type { ProxyLink } from './link.js';

const NOT_A_PROXY = 'check the port, and whether the proxy speaks SOCKS 5: socks5h://';

const NOT_REACHED = 'the proxy may not reach the hop: check host and port, and the log of the proxy';

/** What can be done about a status, besides reading the log of the proxy. */
const HINTS: Readonly<Record<number, string>> = {
  400: NOT_A_PROXY,
  403: 'the proxy may allow only some hosts or ports, such as 443; ask its operator',
  404: NOT_A_PROXY,
  405: 'it may be no proxy, or one without CONNECT',
  500: NOT_REACHED,
  501: 'it may be no proxy, or one without CONNECT',
  502: NOT_REACHED,
  503: NOT_REACHED,
  504: NOT_REACHED,
};

/** The proxy works, and could not connect to the target, as far as it knows. tinyproxy answers 500 then. */
const CANNOT_REACH: ReadonlySet<number> = new Set([500, 502, 503, 504]);

/** 401 is for origins, but tinyproxy answers it to a wrong password. */
const LOGIN_REFUSED: ReadonlySet<number> = new Set([401, 407]);

const REASON_CHARS = 100;

/**
 * Asks an HTTP proxy for a tunnel with CONNECT (RFC 9110 §9.3.6).
 * @returns undefined once the tunnel is open; the error if the proxy works but cannot reach the target
 * @throws ViaductError PROXY_ERROR; the signal's reason
 */
export async function openWithConnect(
  link: ProxyLink,
  target: HostHop,
  login: ProxyLogin | undefined,
): Promise<ViaductError | undefined> {
  const authority = formatHop(target);
  const fields: Field[] = [['Host', authority]];
  if (login !== undefined) fields.push(['Proxy-Authorization', basic(login)]);
  const reader = new ReplyHeadReader();
  const decode = (bytes: Buffer) => {
    const reply = read(reader, bytes);
    return reply && { value: reply.head, rest: reply.rest };
  };
  const { value: head, rest } = await link.ask(
    formatHead(`CONNECT ${authority} HTTP/1.1`, fields),
    decode,
    NOT_A_PROXY,
  );
  if (head.status < 300) return (link.requireNothing(rest), undefined);
  if (LOGIN_REFUSED.has(head.status)) throw refusedLogin(link, head, login);
  const error = link.fault(answerOf(head), {
    hint: HINTS[head.status],
    transient: head.status >= 500 && head.status !== 501,
  });
  if (CANNOT_REACH.has(head.status)) return error;
  throw error;
}

/** RFC 7617, in UTF-8. */
function basic({ user, password }: ProxyLogin): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

function read(reader: ReplyHeadReader, bytes: Buffer): FinalReply | undefined {
  try {
    return reader.read(bytes);
  } catch (error) {
    // What follows the name of a hop there follows that of a proxy here.
    if (asViaductError(error).code !== 'NOT_A_NODE') throw error;
    throw new ViaductError('BAD_REPLY', 'does not speak HTTP', { cause: error });
  }
}

function answerOf({ status, reason }: ReplyHead): string {
  return `answered ${status}${reason === '' ? '' : ` (${visible(reason, REASON_CHARS)})`}`;
}

function refusedLogin(link: ProxyLink, head: ReplyHead, login: ProxyLogin | undefined): ViaductError {
  // A challenge is a scheme alone or before a blank; the other members are its parameters (RFC 9110 §11.6.1).
  const schemes = listOf(head.fields, 'proxy-authenticate').flatMap(
    (member) => /^([a-z][a-z\d-]*)(?: |$)/i.exec(member)?.[1] ?? [],
  );
  const fault = (what: string, hint: string): ViaductError =>
    link.fault(`${answerOf(head)}${what}`, { hint, transient: false });
  if (schemes.length > 0 && !schemes.some((scheme) => scheme.toLowerCase() === 'basic')) {
    const offered = visible(schemes.join(', '), REASON_CHARS);
    return fault(`: it wants ${offered}`, 'viaduct has only Basic: ask the operator of the proxy for it');
  }
  return login === undefined
    ? fault('', 'give user and password, as in HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT')
    : fault(': it does not accept this user and password', 'check both, and their percent-encoding');
}
