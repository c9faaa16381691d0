/** A descriptor that something else uses for a while: until it is back it must stay open, since the system gives its number away. */
export class Loan {
  #recall: (() => void) | undefined;
  #closing: (() => void) | undefined;

  /** @param recall called once if the descriptor is wanted back */
  lend(recall: () => void): void {
    this.#recall = recall;
  }

  /** It is to be closed as soon as it is back. */
  get isClosing(): boolean {
    return this.#closing !== undefined;
  }

  /** False if it is here and can be closed now. Else asks for it; the first wish is done when it is back. */
  postpones(close: () => void): boolean {
    if (this.#recall === undefined) return false;
    if (this.#closing === undefined) {
      this.#closing = close;
      this.#recall();
    }
    return true;
  }

  /** It is back. True if it has been closed with that. */
  end(): boolean {
    const close = this.#closing;
    this.#recall = undefined;
    this.#closing = undefined;
    close?.();
    return close !== undefined;
  }
}
