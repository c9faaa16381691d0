import type { ViaductError } from '../../errors.js';
import type { Location } from '../../route/location.js';
import type { Encryption } from '../http/encryption.js';
import type { RequestOptions } from '../http/request.js';
import type { Retry, RetryOptions } from '../get/retry.js';

export interface GatewayOptions
  extends
    Pick<RequestOptions, 'timeoutMs' | 'connectTimeoutMs' | 'maxHops' | 'proxy' | 'plain' | 'encryption'>,
    Pick<RetryOptions, 'retries' | 'retryTimeMs'> {
  /** On 127.0.0.1; 0 for a free one. @default 0 */
  readonly port?: number | undefined;
  /** Compare the SHA-256 of whole files with that of the origin. @default true */
  readonly verify?: boolean | undefined;
  /**
   * Whether the key of a relay is known, for the status page; it decides nothing. Rejects if it is not.
   * @default it is in the `known_hosts` of this user
   */
  readonly checkRelayKey?: Encryption['checkKey'] | undefined;
  /** Ends {@link openGateway} while it connects; its reason is thrown. A gateway that is open ends with `close`. */
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: GatewayEvent) => void) | undefined;
}

/** A local HTTP server for what is at the last hop of a route. */
export interface Gateway {
  /** Opens the location: `http://127.0.0.1:PORT/SECRET/path`. Every program that has it can read what this user can. */
  readonly url: string;
  /** The page with the state of the route and the transfers. */
  readonly statusUrl: string;
  /** What was opened; the path of a folder ends with `/`. */
  readonly location: Location;
  /**
   * A URL that leads to {@link Gateway.url} once, within a minute: for the command line of a browser, which other users
   * of the machine can see. On Linux only processes of this user can use it.
   */
  ticketUrl(): string;
  /** Stops listening, cuts off what is being fetched, and closes the connections over the route. */
  close(): Promise<void>;
}

/** Of one request of a local client. */
interface OfRequest {
  /** Counted from 1. */
  readonly id: number;
  /** At the origin, percent-encoded, without the token of a link. */
  readonly path: string;
}

/** What happens at a gateway. `viaduct open --json` prints these events. */
export type GatewayEvent =
  /** The reply to a local client begins: `size` bytes, or undefined if that is not known before its end. */
  | (OfRequest & {
      readonly type: 'reply';
      readonly method: 'GET' | 'HEAD';
      readonly status: number;
      readonly size: number | undefined;
      /** Of all requests that are sent over the route for it; the log of every hop has it. */
      readonly traceId: string;
    })
  /** A reply is interrupted and goes on after the pause, from the byte where it broke. */
  | (OfRequest & Retry & { readonly type: 'retry'; readonly bytes: number; readonly error: ViaductError })
  /** The client has the whole reply. `sha256` in hexadecimal: that of the whole file, equal to that of the origin. */
  | (OfRequest & { readonly type: 'complete'; readonly bytes: number; readonly sha256: string | undefined })
  /** The client got an error page, or after `bytes` bytes of the reply a broken connection. */
  | (OfRequest & { readonly type: 'failed'; readonly bytes: number; readonly error: ViaductError })
  /** The route does not work: what is wrong, at which hop. */
  | { readonly type: 'broken'; readonly error: ViaductError }
  /** The route works again. */
  | { readonly type: 'working' };
