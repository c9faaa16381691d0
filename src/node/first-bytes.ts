import type { Signal } from '../signal.js';
import { ViaductError } from '../errors.js';
import { HEAD_BYTES } from '../wire/http/head.js';
import { MESSAGE_BYTES, scanMessage } from '../wire/classic.js';
import type { ByteStream } from '../tcp/byte-stream.js';
import { type Verdict, readUntil } from '../tcp/read-until.js';
import type { NodeTimes } from './context.js';
import { dialectOf } from '../wire/sniff.js';

/** A message that ends in LF counts as whole after this much quiet (an original sends no end mark). */
export const QUIET_AFTER_LINE_MS = 500;

/** A message that does not end in LF counts as whole after this much quiet. */
export const QUIET_MS = 1000;

/** A whole classic message, or the beginning of an HTTP request or of TLS. */
export type SniffResult =
  | { readonly dialect: 'classic'; readonly message: Buffer; readonly rest: Buffer }
  | { readonly dialect: 'http' | 'tls'; readonly bytes: Buffer };

/**
 * Reads until it is clear what a connection speaks, and a classic message to its end: an empty line or
 * FIN, at once, or quiet, 0.5 s after text that ends in LF and 1 s after text that does not.
 *
 * @param begin what was read before
 * @param timeoutMs for all of it, whatever its pace
 * @throws ViaductError MESSAGE_TOO_LONG, MESSAGE_TIMEOUT or CLIENT_GONE; the signal's reason
 */
export function sniff(
  stream: ByteStream,
  begin: Buffer,
  timeoutMs: number,
  quiet: Pick<NodeTimes, 'quietMs' | 'quietAfterLineMs'>,
  signal: Signal,
): Promise<SniffResult> {
  return readUntil(stream, {
    begin,
    scan: (bytes, after) => scan(bytes, after, quiet),
    timeoutMs,
    signal,
    late: (bytes) => {
      const message = `the message was not whole within ${timeoutMs / 1000} s`;
      return new ViaductError('MESSAGE_TIMEOUT', `${message} (${bytes.length} bytes had come)`);
    },
    gone: () =>
      new ViaductError('CLIENT_GONE', 'the client left before its message was whole', {
        cause: stream.error,
      }),
  });
}

function scan(
  bytes: Buffer,
  after: 'bytes' | 'quiet' | 'end',
  quiet: Pick<NodeTimes, 'quietMs' | 'quietAfterLineMs'>,
): Verdict<SniffResult> {
  const dialect = dialectOf(bytes);
  if (dialect === 'http' || dialect === 'tls') return { value: { dialect, bytes } };
  const found = scanMessage(bytes);
  const length = found.ended ? bytes.length - found.rest.length : bytes.length;
  if (length > MESSAGE_BYTES) {
    // A request target may be longer than a message; one without end is refused as HTTP has it.
    if (dialect === 'undecided' && after !== 'end')
      return bytes.length > HEAD_BYTES ? { value: { dialect: 'http', bytes } } : {};
    throw new ViaductError('MESSAGE_TOO_LONG', `the message has more than ${MESSAGE_BYTES} bytes`);
  }
  if (found.ended) return { value: { dialect: 'classic', message: found.message, rest: found.rest } };
  if (after !== 'bytes') return { value: { dialect: 'classic', message: bytes, rest: Buffer.alloc(0) } };
  // What may still become HTTP has the whole time limit: its client may be typing.
  if (dialect === 'undecided') return {};
  return { quietMs: found.endsWithLine ? quiet.quietAfterLineMs : quiet.quietMs };
}
