import type { FileListener, GetSummary } from '../../client/get/options.js';
import type { RetryEvent } from '../../client/get/events.js';
import type { ViaductError } from '../../errors.js';
import { outcomeOf } from '../exit-codes.js';
import { HeldOutput } from '../terminal/held-output.js';
import { jsonLine } from '../terminal/print.js';
import { FileTime, QuestionTime } from './question-time.js';
import type { GetReport } from './report.js';

/** Minimum time between two progress events of a file. */
const PROGRESS_MS = 500;

/** For programs: one JSON object per line (docs/get-events.md). */
export class JsonReport implements GetReport {
  readonly #startedAt = performance.now();
  readonly #questions = new QuestionTime();
  readonly #output: NodeJS.WriteStream;
  /** For a terminal, where questions are asked too. */
  readonly #held = new HeldOutput();

  constructor(output: NodeJS.WriteStream) {
    this.#output = output;
  }

  pause(): () => void {
    const resume = this.#output.isTTY ? this.#held.pause() : () => {};
    const end = this.#questions.ask();
    return () => {
      end();
      resume();
    };
  }

  around(print: () => void): void {
    this.#held.print(print);
  }

  file(file: string): FileListener {
    const time = new FileTime(this.#questions);
    const print = (event: string, members: object): void => this.#print({ event, file, ...members });
    let lastProgressAt = -Infinity;
    return {
      event: ({ type, ...members }) => {
        const now = performance.now();
        if (type === 'reply') time.replied();
        if (type === 'progress' && now - lastProgressAt < PROGRESS_MS) return;
        if (type === 'progress') lastProgressAt = now;
        const { error, ...others } = { error: undefined, ...members };
        print(type, error === undefined ? others : { ...others, ...errorMembers(error) });
      },
      complete: ({ size, received, sha256 }) => {
        print('complete', { size, received, seconds: rounded(time.end()), sha256 });
      },
      failed: (error) => {
        time.end();
        print('error', { ...errorMembers(error), exit: outcomeOf(error).exit });
      },
    };
  }

  found(files: number, bytes: number): void {
    this.#print({ event: 'found', files, bytes });
  }

  listingRetry(file: string, { error, ...retry }: RetryEvent): void {
    this.#print({ event: 'retry', file, ...retry, ...errorMembers(error) });
  }

  failed(error: ViaductError): number {
    this.#print({ event: 'error', ...errorMembers(error), exit: outcomeOf(error).exit });
    return outcomeOf(error).exit;
  }

  close(totals: GetSummary | undefined): void {
    if (totals === undefined) return;
    const { files, received, skipped, failures } = totals;
    const seconds = rounded((performance.now() - this.#startedAt - this.#questions.idleMs) / 1000);
    this.#print({ event: 'end', files, received, skipped, failures, seconds });
  }

  #print(members: object): void {
    this.#held.print(() => this.#output.write(jsonLine(members)));
  }
}

function errorMembers({ code, hopAddress, hopNumber, message }: ViaductError): object {
  return { code, hopNumber, hopAddress, message };
}

/** To milliseconds. */
function rounded(seconds: number): number {
  return Number(seconds.toFixed(3));
}
