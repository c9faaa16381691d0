import { type ErrorCode, asErrorCode } from '../../errors.js';

interface HttpFailure {
  readonly status: number;
  /** Error type of `Proxy-Status` (RFC 9209 §2.3), for failures between nodes. */
  readonly proxyError?: string;
}

/** How failures are reported over HTTP. Codes that are missing here are 500, without `Proxy-Status`. */
const FAILURES: Readonly<Partial<Record<ErrorCode, HttpFailure>>> = {
  BAD_ROUTE: { status: 400, proxyError: 'http_request_error' },
  TOO_MANY_HOPS: { status: 400, proxyError: 'proxy_loop_detected' },
  MESSAGE_TIMEOUT: { status: 408 },
  BAD_REQUEST: { status: 400 },
  METHOD_NOT_ALLOWED: { status: 405 },
  WRONG_HOST: { status: 421 },
  PRECONDITION_FAILED: { status: 412 },
  RANGE_NOT_SATISFIABLE: { status: 416 },
  URI_TOO_LONG: { status: 414 },
  HEAD_TOO_LARGE: { status: 431 },
  VERSION_NOT_SUPPORTED: { status: 505 },
  BAD_REPLY: { status: 502, proxyError: 'http_protocol_error' },
  NOT_A_NODE: { status: 502, proxyError: 'http_request_denied' },
  DNS_ERROR: { status: 502, proxyError: 'dns_error' },
  REFUSED: { status: 502, proxyError: 'connection_refused' },
  UNREACHABLE: { status: 502, proxyError: 'destination_ip_unroutable' },
  PROHIBITED: { status: 403, proxyError: 'destination_ip_prohibited' },
  NOT_PARKED: { status: 503, proxyError: 'destination_unavailable' },
  PARKING_REFUSED: { status: 403 },
  PROXY_ERROR: { status: 502, proxyError: 'proxy_configuration_error' },
  CONNECT_TIMEOUT: { status: 504, proxyError: 'connection_timeout' },
  TIMEOUT: { status: 504, proxyError: 'connection_read_timeout' },
  CUT_SHORT: { status: 502, proxyError: 'connection_terminated' },
  NOT_FOUND: { status: 404 },
  TLS_REQUIRED: { status: 403 },
  FORBIDDEN: { status: 403 },
  ACCESS_DENIED: { status: 403 },
  HTTP_ERROR: { status: 502 },
  UNAVAILABLE: { status: 503 },
  READ_FAILED: { status: 500 },
  ABORTED: { status: 503 },
};

/** The status and the error type of `Proxy-Status` that stand for a kind of failure. */
export function httpFailure(code: ErrorCode): HttpFailure {
  return FAILURES[code] ?? { status: 500 };
}

/** The code that stands for an error type of `Proxy-Status` (RFC 9209 §2.3), or undefined. */
export function codeOfProxyError(type: string): ErrorCode | undefined {
  const found = Object.entries(FAILURES).find(([, { proxyError }]) => proxyError === type);
  return asErrorCode(found?.[0]);
}
