/** What the first bytes of a connection are. */
export type Dialect = 'tls' | 'http' | 'classic' | 'undecided';

/** The content type of a TLS record with a ClientHello (RFC 8446 §5.1). */
const TLS_HANDSHAKE = 0x16;

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'];
const REQUEST_LINE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+ [\x21-\x7e\x80-\xff]+ HTTP\/\d\.\d\r?$/;

/**
 * Tells TLS, by its first byte, and HTTP from the classic wire. A whole first line `TOKEN SP target SP HTTP/x.y` is HTTP. A part of a
 * line that begins with a known method, or is a part of one, may still become HTTP; all else is classic.
 */
export function dialectOf(bytes: Buffer): Dialect {
  if (bytes[0] === TLS_HANDSHAKE) return 'tls';
  const end = bytes.indexOf('\n');
  const line = bytes.subarray(0, end === -1 ? undefined : end).toString('latin1');
  if (end !== -1) return REQUEST_LINE.test(line) ? 'http' : 'classic';
  const mayBecome = METHODS.some((method) => `${method} `.startsWith(line) || line.startsWith(`${method} `));
  return mayBecome ? 'undecided' : 'classic';
}
