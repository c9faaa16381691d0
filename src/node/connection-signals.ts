import { Abort, type Signal } from '../signal.js';

/** What ends a connection, or only its wait for another request. */
export class ConnectionSignals {
  readonly #abort = new Abort();
  #keepAlive: Abort | undefined;

  get signal(): Signal {
    return this.#abort;
  }

  /** Aborted as well when no further request is wanted. Made when it is first needed. */
  get keepAlive(): Signal {
    return this.#keepAliveControl;
  }

  abort(reason: unknown): void {
    this.#abort.abort(reason);
    this.#keepAlive?.abort(reason);
  }

  endIdle(reason?: unknown): void {
    this.#keepAliveControl.abort(reason);
  }

  get #keepAliveControl(): Abort {
    if (this.#keepAlive === undefined) {
      this.#keepAlive = new Abort();
      if (this.signal.aborted) this.#keepAlive.abort(this.signal.reason);
    }
    return this.#keepAlive;
  }
}
