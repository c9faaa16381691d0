/** Measures how long questions to the user were open: that time is no time of a transfer. */
export class QuestionTime {
  /** A monotonic clock in ms. */
  readonly now: () => number;
  #open = 0;
  #downloads = 0;
  #since = 0;
  #openMs = 0;
  #idleMs = 0;

  constructor(now: () => number = () => performance.now()) {
    this.now = now;
  }

  /** A question is asked. @returns ends it */
  ask(): () => void {
    return this.#count((step) => (this.#open += step));
  }

  /** The body of a file is being received. @returns ends it */
  download(): () => void {
    return this.#count((step) => (this.#downloads += step));
  }

  /** Time so far in which a question was open, in ms. */
  get openMs(): number {
    this.#settle();
    return this.#openMs;
  }

  /** The part of it in which no file was received, in ms. */
  get idleMs(): number {
    this.#settle();
    return this.#idleMs;
  }

  #count(add: (step: 1 | -1) => void): () => void {
    this.#settle();
    add(1);
    return () => {
      this.#settle();
      add(-1);
    };
  }

  #settle(): void {
    const now = this.now();
    const ms = this.#open > 0 ? now - this.#since : 0;
    this.#openMs += ms;
    if (this.#downloads === 0) this.#idleMs += ms;
    this.#since = now;
  }
}

/** The duration of one file. Only questions before its reply are left out: later ones are about other files. */
export class FileTime {
  readonly #questions: QuestionTime;
  readonly #startedAt: number;
  readonly #openBefore: number;
  #waitedMs: number | undefined;
  #endDownload: (() => void) | undefined;

  constructor(questions: QuestionTime) {
    this.#questions = questions;
    this.#startedAt = questions.now();
    this.#openBefore = questions.openMs;
  }

  /** A reply has begun. */
  replied(): void {
    this.#waitedMs ??= this.#questions.openMs - this.#openBefore;
    this.#endDownload ??= this.#questions.download();
  }

  /** Ends it. @returns seconds, without those of questions */
  end(): number {
    this.#endDownload?.();
    this.#endDownload = () => {};
    const waitedMs = this.#waitedMs ?? this.#questions.openMs - this.#openBefore;
    return (this.#questions.now() - this.#startedAt - waitedMs) / 1000;
  }
}
