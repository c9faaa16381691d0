import { type ViaductError, asViaductError } from '../../errors.js';
import { hex } from '../../text.js';
import { withoutTokens } from '../../route/share-link.js';
import { RateMeter } from '../rate.js';
import type { Retry } from '../get/retry.js';
import type { GatewayEvent } from './options.js';

/** Ended transfers that the status page shows. */
const SHOWN = 20;

type TransferState = 'asking' | 'sending' | 'waiting' | 'checking' | 'complete' | 'failed' | 'left';

/** One request of a local client, as the status page shows it. */
export class Transfer {
  readonly id: number;
  /** Without the token of a link. */
  readonly path: string;
  readonly method: 'GET' | 'HEAD';
  state: TransferState = 'asking';
  /** Bytes of the reply that the client has got, of `size` if that is known. */
  bytes = 0;
  size: number | undefined;
  error: ViaductError | undefined;
  /** SHA-256 in base64 that is equal to that of the origin. */
  digest: string | undefined;
  readonly #meter = new RateMeter(performance.now());
  readonly #emit: (event: GatewayEvent) => void;
  readonly #onEnd: (transfer: Transfer) => void;

  constructor(
    id: number,
    method: 'GET' | 'HEAD',
    path: string,
    emit: (event: GatewayEvent) => void,
    onEnd: (transfer: Transfer) => void,
  ) {
    this.id = id;
    this.method = method;
    this.path = withoutTokens(path);
    this.#emit = emit;
    this.#onEnd = onEnd;
  }

  /** Bytes per second. */
  get rate(): number {
    return this.#meter.at(performance.now());
  }

  replied(status: number, size: number | undefined, traceId: string): void {
    this.state = 'sending';
    this.size = size;
    this.#emit({ type: 'reply', ...this.#named, method: this.method, status, size, traceId });
  }

  /** So many more bytes were sent to the client. */
  sent(bytes: number): void {
    this.bytes += bytes;
    this.#meter.add(bytes);
  }

  interrupted(retry: Retry, error: ViaductError): void {
    this.state = 'waiting';
    this.error = error;
    this.#emit({ type: 'retry', ...this.#named, ...retry, bytes: this.bytes, error });
  }

  resumed(): void {
    this.state = 'sending';
    this.error = undefined;
  }

  /** @param digest SHA-256 in base64 that is equal to that of the origin; undefined if it was not compared */
  completed(digest: string | undefined): void {
    this.digest = digest;
    const sha256 = digest === undefined ? undefined : hex(digest);
    this.#emit({ type: 'complete', ...this.#named, bytes: this.bytes, sha256 });
    this.#end('complete');
  }

  failed(error: unknown): void {
    this.error = asViaductError(error);
    // A client that has seen enough is no failure.
    const hasLeft = this.error.code === 'CLIENT_GONE';
    if (!hasLeft) this.#emit({ type: 'failed', ...this.#named, bytes: this.bytes, error: this.error });
    this.#end(hasLeft ? 'left' : 'failed');
  }

  #end(state: TransferState): void {
    this.state = state;
    this.#onEnd(this);
  }

  get #named(): { readonly id: number; readonly path: string } {
    return { id: this.id, path: this.path };
  }
}

/** What is being fetched, and the last ones that have ended. */
export class Transfers {
  readonly #active = new Set<Transfer>();
  #ended: Transfer[] = [];
  #count = 0;
  readonly #emit: (event: GatewayEvent) => void;

  constructor(emit: (event: GatewayEvent) => void) {
    this.#emit = emit;
  }

  begin(method: 'GET' | 'HEAD', path: string): Transfer {
    this.#count += 1;
    const transfer = new Transfer(this.#count, method, path, this.#emit, (ended) => {
      this.#active.delete(ended);
      this.#ended = [ended, ...this.#ended].slice(0, SHOWN);
    });
    this.#active.add(transfer);
    return transfer;
  }

  /** The newest first, those that have ended last. */
  get all(): readonly Transfer[] {
    return [...[...this.#active].toReversed(), ...this.#ended];
  }
}
