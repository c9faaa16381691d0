import { Token, parseItem, parseList } from 'structured-headers';
import { type ErrorCode, ViaductError, asErrorCode } from '../../errors.js';
import { formatHop, hopLabel } from '../../route/hop.js';
import { parseTarget } from '../../route/url.js';
import { visible } from '../../text.js';
import { type ReplyHead, valuesOf } from '../../wire/http/head.js';
import { codeOfProxyError } from '../../wire/http/failures.js';
import { parseJsonObject } from '../../json.js';
import type { Location } from '../../route/location.js';

/** The content of an error reply, as far as it can be read. */
interface Claims {
  /** `error` of the first member of `Proxy-Status`. */
  readonly type?: string | undefined;
  /** `host:port` of the hop that failed. */
  readonly address?: string | undefined;
  readonly details?: string | undefined;
  /** The number of the hop that failed, 1 for the first. */
  readonly hopNumber?: number | undefined;
}

/**
 * An error reply as the error that it tells of. The code is that of the error type in `Proxy-Status`
 * (RFC 9209); without one it is the code in the problem details (RFC 9457), if it is about the request, and
 * UNAVAILABLE (503) or HTTP_ERROR for all else. All of it comes from afar, so what is shown is made safe to print.
 */
export function remoteError(
  { status, reason, fields }: ReplyHead,
  body: Buffer,
  { route, path }: Location,
): ViaductError {
  const problem = readProblem(fields, body) ?? readErrorField(fields);
  const failure = readProxyStatus(fields);
  const claimed = failure.address ?? problem.address;
  // A host may occur twice: its address alone tells the number only where it occurs once.
  const places = route.flatMap((each, index) =>
    claimed === undefined || formatHop(each) === claimed ? [index + 1] : [],
  );
  const hopNumber = places.find((place) => place === problem.hopNumber || places.length === 1);
  const said = visible(
    problem.details ??
      failure.details ??
      `the answer is ${status}${reason === '' ? '' : ` (${reason})`}, without a word of the hop`,
  );
  const code = codeFor(failure.type, problem.type, status);
  const suggestion = code === 'NOT_FOUND' ? suggestHop(path) : '';
  // A node begins an error of its own with its number, which is all it knows; the client knows its address.
  const itself = hopNumber === undefined ? undefined : route[hopNumber - 1];
  const name = `hop ${hopNumber}`;
  if (claimed === undefined && hopNumber !== undefined && itself && said.startsWith(`${name}: `)) {
    const message = hopLabel(hopNumber, itself) + said.slice(name.length) + suggestion;
    return new ViaductError(code, message, { hopAddress: formatHop(itself), hopNumber });
  }
  const hop = claimed === undefined ? undefined : visible(claimed);
  return new ViaductError(code, said + suggestion, { hopAddress: hop, hopNumber });
}

/** For a path that begins with a hop without its `@`, as in `h1:12000/h2:11000/file` or `h1:12000/~attic/file`, or without `~`. */
function suggestHop(path: string): string {
  const [, beginning = '', rest = ''] = /^\/(@?)([^/@]+:\d{1,5}|~[^/]+|[^/@]+)(?:\/|$)/.exec(path) ?? [];
  const isHost = rest.includes(':') || rest.startsWith('~');
  if (beginning === '@' ? isHost : !isHost) return '';
  const segment = beginning === '@' ? `~${rest}` : rest;
  const [hop] = parseTarget(`/@${segment}/`).route;
  return hop === undefined ? '' : `; did you mean "/@${formatHop(hop)}/"?`;
}

function codeFor(type: string | undefined, claimed: string | undefined, status: number): ErrorCode {
  const failure = type === undefined ? undefined : codeOfProxyError(type);
  if (failure !== undefined) return failure;
  const code = asErrorCode(claimed);
  // Only what is wrong with the request or the file is taken on trust; other codes mean failures here.
  if (code !== undefined && ABOUT_THE_FILE.has(code)) return code;
  return status === 503 ? 'UNAVAILABLE' : 'HTTP_ERROR';
}

const ABOUT_THE_FILE = new Set<ErrorCode>([
  'NOT_FOUND',
  'FORBIDDEN',
  'ACCESS_DENIED',
  'PRECONDITION_FAILED',
  'RANGE_NOT_SATISFIABLE',
  'METHOD_NOT_ALLOWED',
  'WRONG_HOST',
  'TLS_REQUIRED',
  'PARKING_REFUSED',
  'URI_TOO_LONG',
  'HEAD_TOO_LARGE',
]);

function readProxyStatus(fields: ReplyHead['fields']): Claims {
  try {
    const [first] = parseList(valuesOf(fields, 'proxy-status').join(', '));
    if (first === undefined) return {};
    const [, parameters] = first;
    const textOf = (name: string): string | undefined => {
      const value = parameters.get(name);
      return typeof value === 'string' || value instanceof Token ? value.toString() : undefined;
    };
    return { type: textOf('error'), address: textOf('next-hop'), details: textOf('details') };
  } catch {
    return {}; // RFC 9651 §4.2: a field that cannot be parsed is ignored.
  }
}

/** The same as in problem details, for a reply to HEAD. */
function readErrorField(fields: ReplyHead['fields']): Claims {
  try {
    const [code, parameters] = parseItem(valuesOf(fields, 'viaduct-error').join(', '));
    const [address, detail, hop] = ['address', 'detail', 'hop'].map((name) => parameters.get(name));
    return {
      type: code instanceof Token ? code.toString() : undefined,
      address: textOrNothing(address),
      details: textOrNothing(detail),
      hopNumber: typeof hop === 'number' ? hop : undefined,
    };
  } catch {
    return {}; // RFC 9651 §4.2: a field that cannot be parsed is ignored.
  }
}

/** Undefined without a body of that kind. */
function readProblem(fields: ReplyHead['fields'], body: Buffer): Claims | undefined {
  const [type = ''] = valuesOf(fields, 'content-type');
  const problem = /^application\/problem\+json\b/i.test(type) ? parseJsonObject(body.toString()) : undefined;
  if (problem === undefined) return undefined;
  const { code, address, detail, hop } = problem;
  return {
    type: textOrNothing(code),
    address: textOrNothing(address),
    details: textOrNothing(detail),
    hopNumber: typeof hop === 'number' ? hop : undefined,
  };
}

function textOrNothing(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
