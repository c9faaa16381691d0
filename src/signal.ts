/**
 * What a wait needs of an AbortSignal. A connection makes one, and an AbortController takes as long as two system calls.
 */
export interface Signal {
  readonly aborted: boolean;
  readonly reason: unknown;
  /** @throws the reason */
  throwIfAborted(): void;
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** A signal, and what aborts it. */
export class Abort implements Signal {
  #reason: { readonly is: unknown } | undefined;
  #listeners: (() => void)[] = [];

  get aborted(): boolean {
    return this.#reason !== undefined;
  }

  get reason(): unknown {
    return this.#reason?.is;
  }

  throwIfAborted(): void {
    if (this.#reason !== undefined) throw this.#reason.is;
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    if (!this.#listeners.includes(listener)) this.#listeners.push(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    const at = this.#listeners.indexOf(listener);
    if (at >= 0) this.#listeners.splice(at, 1);
  }

  /** @param reason as that of an AbortController, if undefined */
  abort(reason: unknown = new DOMException('This operation was aborted', 'AbortError')): void {
    if (this.#reason !== undefined) return;
    this.#reason = { is: reason };
    // One listener may remove others.
    for (let next = this.#listeners.shift(); next !== undefined; next = this.#listeners.shift()) next();
  }
}
