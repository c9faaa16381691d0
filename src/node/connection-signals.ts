/** What ends a connection, or only its wait for another request. */
export class ConnectionSignals {
  readonly #abort = new AbortController();
  #keepAlive: AbortController | undefined;

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Aborted as well when no further request is wanted. Made when it is first needed. */
  get keepAlive(): AbortSignal {
    return this.#keepAliveControl.signal;
  }

  abort(reason: unknown): void {
    this.#abort.abort(reason);
    this.#keepAlive?.abort(reason);
  }

  endIdle(reason?: unknown): void {
    this.#keepAliveControl.abort(reason);
  }

  get #keepAliveControl(): AbortController {
    if (this.#keepAlive === undefined) {
      this.#keepAlive = new AbortController();
      if (this.signal.aborted) this.#keepAlive.abort(this.signal.reason);
    }
    return this.#keepAlive;
  }
}
