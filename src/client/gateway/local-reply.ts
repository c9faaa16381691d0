import { type ServerResponse, STATUS_CODES } from 'node:http';
import { PAUSE_MS } from '../../defaults.js';
import { ViaductError } from '../../errors.js';
import type { Field } from '../../wire/http/head.js';

/** A reply to a local client. Its head is sent with the first bytes of its body, so that until then it can be another one. */
export class LocalReply {
  /** Aborts when the client leaves, takes nothing for an hour, or the gateway is closed. */
  readonly signal: AbortSignal;
  readonly #response: ServerResponse;
  #head: { readonly status: number; readonly fields: readonly Field[] } | undefined;

  /** @param closing aborts when the gateway is closed */
  constructor(response: ServerResponse, closing: AbortSignal) {
    this.#response = response;
    const left = new AbortController();
    response.on('close', () => {
      if (!response.writableFinished) left.abort(new ViaductError('CLIENT_GONE', 'the client left'));
    });
    response.on('error', () => {}); // Followed by `close`.
    response.setTimeout(PAUSE_MS, () => this.cut());
    this.signal = AbortSignal.any([left.signal, closing]);
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
    return new Promise((resolve, reject) => {
      this.#response.write(chunk, (error) => {
        if (error === null || error === undefined) resolve();
        else reject(new ViaductError('CLIENT_GONE', 'the client left', { cause: error }));
      });
    });
  }

  end(): void {
    this.#sendHead();
    this.#response.end();
  }

  /** Breaks the connection, so that the client cannot take what it has for all. */
  cut(): void {
    this.#response.socket?.resetAndDestroy();
  }

  #sendHead(): void {
    if (this.#head === undefined || this.hasBegun) return;
    const { status, fields } = this.#head;
    this.#response.writeHead(status, STATUS_CODES[status] ?? '', fields.flat());
  }
}
