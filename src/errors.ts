import { getSystemErrorMap } from 'node:util';

/** What a failure means outside the program. */
interface Meaning {
  /** Process exit code; curl's number where curl has one. */
  readonly exit: number;
  /** What to do about it, as a clause that follows the message. */
  readonly hint?: string;
  /** HTTP status; 500 without. */
  readonly status?: number;
  /** Error type of `Proxy-Status` (RFC 9209 §2.3), for what went wrong between nodes. */
  readonly proxy?: string;
  /** A later attempt over the same route may succeed. */
  readonly transient?: true;
}

/** The one table of failures. Code that decides something looks at the code, never at a message's text. */
const MEANINGS = {
  /** A wrong command line or a wrong option value. */
  USAGE: { exit: 2, hint: 'see viaduct --help' },
  /** An input file, route or hop that cannot be parsed. */
  BAD_ROUTE: { exit: 2, status: 400, proxy: 'http_request_error' },
  /** A route of more hops than allowed. */
  TOO_MANY_HOPS: { exit: 2, status: 400, proxy: 'proxy_loop_detected' },
  /** A classic message that is over 4,096 bytes. */
  MESSAGE_TOO_LONG: { exit: 2, hint: 'shorten the file name or the route' },
  /** A classic message that is empty or that no original program could have sent. */
  BAD_MESSAGE: { exit: 2 },
  /** A classic message or an HTTP head that did not end in time. */
  MESSAGE_TIMEOUT: { exit: 28, status: 408 },
  /** An HTTP request that breaks RFC 9112 or 9110, or that a node does not answer. */
  BAD_REQUEST: { exit: 2, status: 400 },
  /** A method other than GET and HEAD. */
  METHOD_NOT_ALLOWED: { exit: 22, status: 405 },
  /** A condition of the request does not hold (If-Match, If-Unmodified-Since). */
  PRECONDITION_FAILED: { exit: 22, status: 412 },
  /** A range that lies outside of the file. */
  RANGE_NOT_SATISFIABLE: { exit: 22, status: 416 },
  /** A request target of more than 8 KiB. */
  URI_TOO_LONG: { exit: 22, status: 414 },
  /** An HTTP head of more than 16 KiB. */
  HEAD_TOO_LARGE: { exit: 22, status: 431 },
  /** Not HTTP/1.0 or HTTP/1.1. */
  VERSION_NOT_SUPPORTED: { exit: 22, status: 505 },
  /** The next hop's reply breaks RFC 9112. */
  BAD_REPLY: { exit: 56, status: 502, proxy: 'http_protocol_error' },
  /** The next hop answers HTTP, but is not a node. */
  NOT_A_NODE: { exit: 7, status: 502, proxy: 'http_request_denied' },
  /** The node cannot listen on its port. */
  LISTEN_FAILED: { exit: 3 },
  /** The name of a hop does not resolve. */
  DNS_ERROR: {
    exit: 6,
    hint: 'check the spelling and the resolver of the machine that dials',
    status: 502,
    proxy: 'dns_error',
    transient: true,
  },
  /** Nothing listens at the hop. */
  REFUSED: {
    exit: 7,
    hint: 'is a node running there?',
    status: 502,
    proxy: 'connection_refused',
    transient: true,
  },
  /** The hop cannot be dialled for another reason: no route, network down, local limits. */
  UNREACHABLE: {
    exit: 7,
    hint: 'check the network between the two',
    status: 502,
    proxy: 'destination_ip_unroutable',
    transient: true,
  },
  /** The policy of the node forbids to dial this hop; the message says which option allows it. */
  PROHIBITED: { exit: 7, status: 403, proxy: 'destination_ip_prohibited' },
  /** Dialling took longer than the limit. */
  CONNECT_TIMEOUT: {
    exit: 28,
    hint: 'a firewall may drop the packets',
    status: 504,
    proxy: 'connection_timeout',
    transient: true,
  },
  /** The sender was silent for longer than the limit. */
  TIMEOUT: {
    exit: 28,
    hint: "a later hop may be slow or down; the nodes' logs say which",
    status: 504,
    proxy: 'connection_read_timeout',
    transient: true,
  },
  /** Not done within the user's limit for everything. */
  MAX_TIME: { exit: 28, transient: true },
  /** The receiver took nothing for longer than the limit. */
  STALLED: { exit: 28 },
  /** The sender broke the connection before the end of the file. */
  CUT_SHORT: {
    exit: 18,
    hint: "the nodes' logs name the hop and the reason",
    status: 502,
    proxy: 'connection_terminated',
    transient: true,
  },
  /** The receiver left before the end of the file. */
  CLIENT_GONE: { exit: 18 },
  /** The requested file does not exist under the root. */
  NOT_FOUND: { exit: 22, status: 404 },
  /** The requested name leaves the root, is hidden, or is not a regular file. */
  FORBIDDEN: { exit: 22, status: 403 },
  /** The far side answered with an HTTP status that is none of the others. */
  HTTP_ERROR: { exit: 22, status: 502 },
  /** The far side is busy or stopping. */
  UNAVAILABLE: { exit: 22, status: 503, transient: true },
  /** The file is another one than before, and what there is of it cannot be taken back. */
  CHANGED: { exit: 18, hint: 'fetch it again' },
  /** The SHA-256 of what was fetched is not that of the file at its origin. */
  DIGEST_MISMATCH: { exit: 110, hint: 'its bytes were changed on the way or on the disk; nothing was kept' },
  /** The origin does not tell the SHA-256 of the file. */
  NO_DIGEST: { exit: 22, hint: '--no-verify accepts the file by its size' },
  /** A name of the far side that means something else here. */
  UNSAFE_NAME: { exit: 23 },
  /** Another process is writing the same file. */
  BUSY: { exit: 23, hint: 'wait for it to end' },
  /** A file could not be read, or shrank while it was read. */
  READ_FAILED: { exit: 26, status: 500 },
  /** A file or standard output could not be written. */
  WRITE_FAILED: { exit: 23 },
  /** A defect of viaduct itself. */
  INTERNAL: { exit: 1, hint: 'this is a defect; please report it' },
  /** The node or the caller ended the transfer. */
  ABORTED: { exit: 130, status: 503 },
} as const satisfies Record<string, Meaning>;

/** Stable, literal name of a kind of failure. */
export type ErrorCode = keyof typeof MEANINGS;

const CODES = Object.keys(MEANINGS).filter((key): key is ErrorCode => key in MEANINGS);

function meaningOf(code: ErrorCode): Meaning {
  return MEANINGS[code];
}

export interface ErrorDetails {
  /** The hop that failed, as `host:port`. */
  readonly hop?: string | undefined;
  /** Its number in the route; the client is 0. */
  readonly hopNumber?: number | undefined;
  /** The lower-level error that led to this one. */
  readonly cause?: unknown;
}

/** The one error class: every failure that a user can cause is one of these. */
export class ViaductError extends Error {
  override readonly name = 'ViaductError';
  readonly code: ErrorCode;
  /** The hop that failed, as `host:port`, where one did. */
  readonly hop: string | undefined;
  /** Its number in the route, where that is known; the client is 0. */
  readonly hopNumber: number | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.code = code;
    this.hop = details.hop;
    this.hopNumber = details.hopNumber;
  }

  get #meaning(): Meaning {
    return meaningOf(this.code);
  }

  /** The process exit code that stands for this failure. */
  get exitCode(): number {
    return this.#meaning.exit;
  }

  /** What the user can do, as a clause; undefined where the message says it all. */
  get hint(): string | undefined {
    return this.#meaning.hint;
  }

  /** The HTTP status that stands for this failure. */
  get status(): number {
    return this.#meaning.status ?? 500;
  }

  /** Whether a later attempt over the same route may succeed. */
  get transient(): boolean {
    return this.#meaning.transient ?? false;
  }

  /** Its error type in `Proxy-Status` (RFC 9209 §2.3), or undefined if no intermediary failed. */
  get proxyError(): string | undefined {
    return this.#meaning.proxy;
  }
}

/** The code that stands for an error type of `Proxy-Status` (RFC 9209 §2.3), or undefined. */
export function codeOfProxyError(type: string): ErrorCode | undefined {
  return CODES.find((code) => meaningOf(code).proxy === type);
}

/** `text` as a code, if it is one. */
export function asErrorCode(text: unknown): ErrorCode | undefined {
  return CODES.find((code) => code === text);
}

/** The `code` of a Node system error such as `ENOENT`, or undefined. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** What the system says of an error, such as `no space left on device`, or the error's own message. */
export function systemReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const errno = 'errno' in error && typeof error.errno === 'number' ? error.errno : 0;
  return getSystemErrorMap().get(errno)?.[1] ?? error.message;
}

/** Any error as a {@link ViaductError}; one that is none is a defect. */
export function asViaductError(error: unknown): ViaductError {
  return error instanceof ViaductError
    ? error
    : new ViaductError('INTERNAL', String(error), { cause: error });
}
