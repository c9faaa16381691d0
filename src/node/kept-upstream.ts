import { type Hop, formatHop } from '../route/hop.js';
import type { ByteStream } from '../tcp/byte-stream.js';
import type { AddressClass } from './access/address.js';

interface Idle {
  readonly stream: ByteStream;
  readonly key: string;
  /** Ends the watch over it. */
  readonly release: () => void;
}

/**
 * The connection to a next hop that waits for another request of the same client; no other client's requests go over it.
 * Whatever comes on it meanwhile ends it: nobody has asked for it.
 */
export class KeptUpstream {
  #idle: Idle | undefined;
  readonly #onExcess: () => void;

  /** @param onExcess called when something comes on it */
  constructor(onExcess: () => void) {
    this.#onExcess = onExcess;
  }

  /** @param client the class of the client that it was dialled for */
  keep(stream: ByteStream, hop: Hop, client: AddressClass): void {
    this.drop();
    if (stream.closed || stream.ended) return stream.close();
    const drop = (): void => this.drop();
    const reading = stream.attach({
      take: () => {
        drop();
        this.#onExcess();
        return false;
      },
      end: drop,
    });
    const forget = stream.onClose(drop);
    const release = (): void => {
      reading.detach();
      forget();
    };
    this.#idle = { stream, key: keyOf(hop, client), release };
    reading.resume();
  }

  /** Undefined if there is none for this hop and a client of this class; any other is ended. */
  take(hop: Hop, client: AddressClass): ByteStream | undefined {
    const idle = this.#idle;
    if (idle?.key !== keyOf(hop, client)) {
      this.drop();
      return undefined;
    }
    this.#idle = undefined;
    idle.release();
    return idle.stream;
  }

  drop(): void {
    const idle = this.#idle;
    this.#idle = undefined;
    idle?.release();
    idle?.stream.leave();
  }
}

function keyOf(hop: Hop, client: AddressClass): string {
  return `${client} ${formatHop(hop)}`;
}
