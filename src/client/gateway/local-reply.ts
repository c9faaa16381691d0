import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { PAUSE_MS } from '../../defaults.js';
import { ViaductError } from '../../errors.js';
import type { Field } from '../../wire/http/head.js';
import { unlessAborted } from '../get/retry.js';

/** A reply to a local client. Its head is sent with the first bytes of its body, so that until then it can be another one. */
export class LocalReply {
  /** Aborts when the client leaves, takes nothing for an hour, or the gateway is closed, which closes all connections. */
  readonly signal: AbortSignal;
  readonly #response: ServerResponse;
  readonly #socket: Socket;
  #head: { readonly status: number; readonly fields: readonly Field[] } | undefined;

  constructor({ socket }: IncomingMessage, response: ServerResponse) {
    this.#response = response;
    this.#socket = socket;
    const left = new AbortController();
    const closed = (): void => {
      socket.off('close', closed);
      if (!response.writableFinished) left.abort(new ViaductError('CLIENT_GONE', 'the client left'));
    };
    response.on('close', closed);
    // A reply that waits behind others on its connection (pipelining) is not told by Node that the client has left.
    socket.setMaxListeners(0).on('close', closed);
    response.on('error', () => {}); // Followed by `close`.
    response.setTimeout(PAUSE_MS, () => this.cut());
    this.signal = left.signal;
    if (socket.destroyed) closed();
  }

  /** Its head has been sent. */
  get hasBegun(): boolean {
    return this.#response.headersSent;
  }

  begin(status: number, fields: readonly Field[]): void {
    this.#head = { status, fields };
  }

  /** Resolves when the chunk is no longer needed. @throws ViaductError CLIENT_GONE */
  write(chunk: Uint8Array): Promise<void> {
    this.#sendHead();
    const written = new Promise<void>((resolve, reject) => {
      this.#response.write(chunk, (error) => {
        if (error === null || error === undefined) resolve();
        else reject(new ViaductError('CLIENT_GONE', 'the client left', { cause: error }));
      });
    });
    return unlessAborted(written, this.signal);
  }

  end(): void {
    this.#sendHead();
    this.#response.end();
  }

  /** Breaks the connection, so that the client cannot take what it has for all. */
  cut(): void {
    this.#socket.resetAndDestroy();
  }

  #sendHead(): void {
    if (this.#head === undefined || this.hasBegun) return;
    const { status, fields } = this.#head;
    this.#response.writeHead(status, STATUS_CODES[status] ?? '', fields.flat());
  }
}
