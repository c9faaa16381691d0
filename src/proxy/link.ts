import type { Signal } from '../signal.js';
import { type ErrorCode, type ErrorDetails, ViaductError, asViaductError } from '../errors.js';
import { MAX_TIMER_MS } from '../defaults.js';
import { type HostHop, formatHop } from '../route/hop.js';
import type { ByteStream } from '../tcp/byte-stream.js';
import { isReset } from '../tcp/early-reset.js';
import { type Verdict, readUntil } from '../tcp/read-until.js';

/** How errors call what takes part in a dial over a proxy. */
export interface Names {
  /** The hop, such as `hop 1 (h1:12000)`. */
  readonly label: string;
  readonly hop: HostHop;
  /** The proxy, such as `the proxy http://p:3128`. */
  readonly proxy: string;
}

type Details = Pick<ErrorDetails, 'hint' | 'transient' | 'cause'>;

/** A failure of the proxy. @param what follows its name */
export function proxyFault({ label, hop, proxy }: Names, what: string, details: Details = {}): ViaductError {
  return new ViaductError('PROXY_ERROR', `${label}: ${proxy} ${what}`, {
    hopAddress: formatHop(hop),
    ...details,
  });
}

/** The proxy works, and the hop cannot be reached for an ordinary reason. @param what follows the name of the hop */
export function hopFault(
  { label, hop, proxy }: Names,
  code: ErrorCode,
  what: string,
  hint?: string,
): ViaductError {
  const details = { hopAddress: formatHop(hop), hint };
  return new ViaductError(code, `${label} ${what} (over ${proxy})`, details);
}

/** A message of the proxy, and what came after it. */
interface Decoded<T> {
  readonly value: T;
  readonly rest: Buffer;
}

/** A connection to a proxy whose tunnel is not open yet: one asks, and the proxy answers once. */
export class ProxyLink {
  readonly names: Names;
  readonly #stream: ByteStream;
  readonly #signal: Signal;

  /** @param signal ends every wait; its reason is thrown */
  constructor(stream: ByteStream, names: Names, signal: Signal) {
    this.#stream = stream;
    this.names = names;
    this.#signal = signal;
  }

  /**
   * Sends a message and reads the answer.
   * @param decode gets all bytes since the message; undefined while the answer is incomplete
   * @param hint about an answer that `decode` refuses, or that does not come
   * @throws ViaductError PROXY_ERROR; the signal's reason
   */
  ask<T>(
    message: Buffer,
    decode: (bytes: Buffer) => Decoded<T> | undefined,
    hint?: string,
  ): Promise<Decoded<T>> {
    this.#stream.write(message);
    const scan = (bytes: Buffer): Verdict<Decoded<T>> => {
      try {
        const decoded = decode(bytes);
        return decoded === undefined ? {} : { value: decoded };
      } catch (cause) {
        throw this.fault(asViaductError(cause).message, { cause, hint, transient: false });
      }
    };
    return readUntil(this.#stream, {
      scan,
      // The signal has the limit.
      timeoutMs: MAX_TIMER_MS,
      signal: this.#signal,
      late: () => this.fault('sent no reply', { hint }),
      gone: (bytes) => {
        const how = isReset(this.#stream.error) ? 'reset' : 'closed';
        const when = bytes.length > 0 ? 'before its reply was whole' : 'before it replied';
        return this.fault(`${how} the connection ${when}`, { cause: this.#stream.error, hint });
      },
    });
  }

  /** Nothing was sent yet to the hop, so nothing can come from it. @throws ViaductError PROXY_ERROR if there are bytes */
  requireNothing(rest: Buffer): void {
    if (rest.length > 0)
      throw this.fault(`sent ${rest.length} bytes that belong to no reply`, { transient: false });
  }

  /** @param what follows the name of the proxy */
  fault(what: string, details: Details = {}): ViaductError {
    return proxyFault(this.names, what, details);
  }
}
