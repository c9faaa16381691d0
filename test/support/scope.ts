/** Where a helper leaves what is to be undone: a test's context, or a {@link Scope} that ends sooner. */
export interface Cleanup {
  after(undo: () => unknown): void;
}

/** A part of a test with an end of its own, for tests that do the same thing thousands of times. */
export class Scope implements Cleanup {
  readonly #undo: (() => unknown)[] = [];

  after(undo: () => unknown): void {
    this.#undo.push(undo);
  }

  async end(): Promise<void> {
    for (const undo of this.#undo.splice(0).toReversed()) await undo();
  }
}
