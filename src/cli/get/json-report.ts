import type { FileListener, GetSummary } from '../../client/get/get-all.js';
import type { RetryEvent } from '../../client/get/events.js';
import type { ViaductError } from '../../errors.js';
import { outcomeOf } from '../exit-codes.js';
import { jsonLine } from '../terminal/print.js';
import type { GetReport } from './report.js';

/** Minimum time between two progress events of a file. */
const PROGRESS_MS = 500;

/** For programs: one JSON object per line (docs/get-events.md). */
export class JsonReport implements GetReport {
  readonly #startedAt = performance.now();
  readonly #output: NodeJS.WriteStream;

  constructor(output: NodeJS.WriteStream) {
    this.#output = output;
  }

  pause(): () => void {
    return () => {};
  }

  file(file: string): FileListener {
    const startedAt = performance.now();
    const print = (event: string, members: object): void => this.#print({ event, file, ...members });
    let lastProgressAt = -Infinity;
    return {
      event: ({ type, ...members }) => {
        const now = performance.now();
        if (type === 'progress' && now - lastProgressAt < PROGRESS_MS) return;
        if (type === 'progress') lastProgressAt = now;
        const { error, ...others } = { error: undefined, ...members };
        print(type, error === undefined ? others : { ...others, ...errorMembers(error) });
      },
      complete: ({ size, received, sha256 }) => {
        print('complete', { size, received, seconds: secondsSince(startedAt), sha256 });
      },
      failed: (error) => print('error', { ...errorMembers(error), exit: outcomeOf(error).exit }),
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
    this.#print({ event: 'end', files, received, skipped, failures, seconds: secondsSince(this.#startedAt) });
  }

  #print(members: object): void {
    this.#output.write(jsonLine(members));
  }
}

function errorMembers({ code, hopAddress, hopNumber, message }: ViaductError): object {
  return { code, hopNumber, hopAddress, message };
}

function secondsSince(startedAt: number): number {
  return Number(((performance.now() - startedAt) / 1000).toFixed(3));
}
