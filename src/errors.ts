import { getSystemErrorMap } from 'node:util';

/**
 * The kinds of failures. Code that decides something looks at the code, never at a message's text. Exit codes and hints
 * are in `src/cli/exit-codes.ts`, HTTP statuses in `src/wire/http/failures.ts`.
 *
 * `transient`: a later attempt over the same route may succeed.
 */
const CODES = {
  /** A wrong command line or a wrong option value. */
  USAGE: { transient: false },
  /** An input file, route or hop that cannot be parsed. */
  BAD_ROUTE: { transient: false },
  /** A configuration file that cannot be parsed, or has an unknown key or a wrong value. */
  BAD_CONFIG: { transient: false },
  /** A route of more hops than allowed. */
  TOO_MANY_HOPS: { transient: false },
  /** A classic message that is over 4,096 bytes. */
  MESSAGE_TOO_LONG: { transient: false },
  /** A classic message that is empty or that no original program could have sent. */
  BAD_MESSAGE: { transient: false },
  /** A classic message or an HTTP head that did not end in time. */
  MESSAGE_TIMEOUT: { transient: false },
  /** An HTTP request that breaks RFC 9112 or 9110, or that a node does not answer. */
  BAD_REQUEST: { transient: false },
  /** A method other than GET and HEAD. */
  METHOD_NOT_ALLOWED: { transient: false },
  /** The request calls the node by a host name that is not its own. */
  WRONG_HOST: { transient: false },
  /** A condition of the request does not hold (If-Match, If-Unmodified-Since). */
  PRECONDITION_FAILED: { transient: false },
  /** A range that lies outside of the file. */
  RANGE_NOT_SATISFIABLE: { transient: false },
  /** A request target of more than 8 KiB. */
  URI_TOO_LONG: { transient: false },
  /** An HTTP head of more than 16 KiB. */
  HEAD_TOO_LARGE: { transient: false },
  /** Not HTTP/1.0 or HTTP/1.1. */
  VERSION_NOT_SUPPORTED: { transient: false },
  /** The next hop's reply breaks RFC 9112. */
  BAD_REPLY: { transient: false },
  /** The next hop answers HTTP, but is not a node. */
  NOT_A_NODE: { transient: false },
  /** The node cannot listen on its port. */
  LISTEN_FAILED: { transient: false },
  /** The name of a hop does not resolve. */
  DNS_ERROR: { transient: true },
  /** Nothing listens at the hop, or the node there resets new connections, since it has too many. */
  REFUSED: { transient: true },
  /** The hop cannot be dialled for another reason: no route, network down, local limits. */
  UNREACHABLE: { transient: true },
  /** The policy of the node forbids this hop; the message names the option that allows it. */
  PROHIBITED: { transient: false },
  /** No node of this name is parked at the hop before. */
  NOT_PARKED: { transient: true },
  /** The node does not park this one, under this name. */
  PARKING_REFUSED: { transient: false },
  /** The proxy over which a hop is dialled cannot be used: it is down, refuses, or speaks something else. */
  PROXY_ERROR: { transient: true },
  /** Dialling took longer than the limit. */
  CONNECT_TIMEOUT: { transient: true },
  /** The sender was silent for longer than the limit. */
  TIMEOUT: { transient: true },
  /** Not done within the user's limit for everything. */
  MAX_TIME: { transient: true },
  /** The receiver took nothing for longer than the limit. */
  STALLED: { transient: false },
  /** The sender broke the connection before the end of the file. */
  CUT_SHORT: { transient: true },
  /** The receiver left before the end of the file. */
  CLIENT_GONE: { transient: false },
  /** The requested file does not exist under the root. */
  NOT_FOUND: { transient: false },
  /** The requested name leaves the root, is hidden, or is not a regular file. */
  FORBIDDEN: { transient: false },
  /** The client may not read: the node serves only clients that its owner has let in. */
  ACCESS_DENIED: { transient: false },
  /** The far side answered with an HTTP status that is none of the others. */
  HTTP_ERROR: { transient: false },
  /** The far side is busy or stopping. */
  UNAVAILABLE: { transient: true },
  /** The file is another one than before, and what there is of it cannot be taken back; or it changes all the time. */
  CHANGED: { transient: false },
  /** The SHA-256 of what was fetched is not that of the file at its origin. */
  DIGEST_MISMATCH: { transient: false },
  /** The origin does not report the SHA-256 of the file. */
  NO_DIGEST: { transient: false },
  /** The checksum file does not have the SHA-256 of the file, or has two. */
  NO_CHECKSUM: { transient: false },
  /** All of the file was received, but its origin no longer serves it, so that nothing can confirm it. */
  UNVERIFIED: { transient: false },
  /** TLS could not be agreed on, or broke. */
  TLS_FAILED: { transient: false },
  /** The key of the host is neither pinned nor in known_hosts. */
  UNKNOWN_HOST_KEY: { transient: false },
  /** The key of the host is another one than known_hosts has for its name. */
  CHANGED_HOST_KEY: { transient: false },
  /** The key of the host does not have the pin that the user gave. */
  WRONG_PIN: { transient: false },
  /** The certificate of the host does not lead to a trusted authority (`--ca`), or is for another host. */
  UNTRUSTED_CERTIFICATE: { transient: false },
  /** A node that answers in TLS only was asked without. */
  TLS_REQUIRED: { transient: false },
  /** The key or certificate of this node or client cannot be used. */
  BAD_IDENTITY: { transient: false },
  /** A name of the far side that means something else here. */
  UNSAFE_NAME: { transient: false },
  /** Another process is writing the same file. */
  BUSY: { transient: false },
  /** A file could not be read, or shrank while it was read. */
  READ_FAILED: { transient: false },
  /** A file or standard output could not be written. */
  WRITE_FAILED: { transient: false },
  /** A defect of viaduct itself. */
  INTERNAL: { transient: false },
  /** The node or the caller ended the transfer. */
  ABORTED: { transient: false },
} as const satisfies Record<string, { readonly transient: boolean }>;

/** Stable, literal name of a kind of failure. */
export type ErrorCode = keyof typeof CODES;

export interface ErrorDetails {
  /** The hop that failed, as `host:port`. */
  readonly hopAddress?: string | undefined;
  /** Its number in the route; the client is 0. */
  readonly hopNumber?: number | undefined;
  /** What a user of the command line can do, in place of the hint of the code. */
  readonly hint?: string | undefined;
  /** Whether a later attempt may succeed, if that is not the same for all errors of the code. */
  readonly transient?: boolean | undefined;
  /** The lower-level error that led to this one. */
  readonly cause?: unknown;
}

/** The one error class: every failure that a user can cause is one of these. */
export class ViaductError extends Error {
  override readonly name = 'ViaductError';
  readonly code: ErrorCode;
  /** The hop that failed, as `host:port`, where one did. */
  readonly hopAddress: string | undefined;
  /** Its number in the route, where that is known; the client is 0. */
  readonly hopNumber: number | undefined;
  /** What a user of the command line can do, if that is not the same for all errors of the code. */
  readonly hint: string | undefined;
  /** Whether a later attempt over the same route may succeed. */
  readonly transient: boolean;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.code = code;
    this.hopAddress = details.hopAddress;
    this.hopNumber = details.hopNumber;
    this.hint = details.hint;
    this.transient = details.transient ?? CODES[code].transient;
  }
}

/** `text` as a code, if it is one. */
export function asErrorCode(text: unknown): ErrorCode | undefined {
  return Object.keys(CODES).find((code): code is ErrorCode => code === text);
}

/**
 * The same failure, with context in its message and the details that are given; the others stay.
 * @param describe the new message, from the old one
 */
export function withContext(
  error: unknown,
  describe: (message: string) => string,
  details: ErrorDetails = {},
): ViaductError {
  const { code, message, hopAddress, hopNumber, hint, transient } = asViaductError(error);
  const kept = { hopAddress, hopNumber, hint, transient, cause: error };
  return new ViaductError(code, describe(message), { ...kept, ...details });
}

/** The `code` of a Node system error such as `ENOENT`, or undefined. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/**
 * The system's text for an error, such as `no space left on device`, OpenSSL's, such as `bad record mac`, or the error's
 * own message.
 */
export function systemReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // The messages of OpenSSL have memory addresses and line ends in them.
  if ('reason' in error && typeof error.reason === 'string') return error.reason;
  const errno = 'errno' in error && typeof error.errno === 'number' ? error.errno : 0;
  return getSystemErrorMap().get(errno)?.[1] ?? error.message;
}

/** Any error as a {@link ViaductError}; one that is none is a defect. */
export function asViaductError(error: unknown): ViaductError {
  return error instanceof ViaductError
    ? error
    : new ViaductError('INTERNAL', String(error), { cause: error });
}
