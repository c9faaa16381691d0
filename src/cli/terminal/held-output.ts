/** Holds output back while something else uses the terminal, such as a question whose answer is being typed. */
export class HeldOutput {
  #pauses = 0;
  #held: (() => void)[] = [];

  get isPaused(): boolean {
    return this.#pauses > 0;
  }

  /** Prints now, or in order once nothing else uses the terminal. */
  print(print: () => void): void {
    if (this.isPaused) this.#held.push(print);
    else print();
  }

  /** Holds all output until the returned function is called; with several pauses, until the last one ends. */
  pause(): () => void {
    this.#pauses += 1;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#pauses -= 1;
      if (!this.isPaused) this.flush();
    };
  }

  /** Prints what is held, whatever uses the terminal. */
  flush(): void {
    const held = this.#held;
    this.#held = [];
    for (const print of held) print();
  }
}
