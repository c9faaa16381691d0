import type { FileListener, GetSummary } from '../../client/get/get-all.js';
import { outcomeOf } from '../exit-codes.js';
import type { GetEvent } from '../../client/get/events.js';
import type { GetResult } from '../../client/get/options.js';
import type { ViaductError } from '../../errors.js';
import { formatBytes, hex, visible } from '../../text.js';
import { errorLine, formatSeconds, jsonLine, printError } from '../terminal/print.js';
import { ProgressDisplay, type ProgressTask } from '../terminal/display.js';

/** Tells how downloads go. */
export interface GetReport {
  /** A file begins; its name as the user knows it. */
  file(name: string): FileListener;
  /** So many files more were found. */
  found(files: number, bytes: number): void;
  /** Everything failed, for a reason that no file is told of. Returns the exit code. */
  failed(error: ViaductError): number;
  /** All is over; the totals are told if they are given. */
  close(totals: GetSummary | undefined): void;
}

export interface ReportOptions {
  readonly quiet?: true;
  readonly verbose?: true;
  readonly json?: true;
  /** A file's bytes go to standard output, and nothing else may. */
  readonly toStdout: boolean;
  /** There may be several files: lines begin with the name of theirs. */
  readonly several: boolean;
  /** Files come by the folder: a line for all of them. */
  readonly recursive?: true;
}

export function createGetReport(options: ReportOptions): GetReport {
  return options.json ? new JsonReport() : new TextReport(options);
}

/** For people: progress on a terminal, and a line for each thing that is worth one. */
class TextReport implements GetReport {
  readonly #options: ReportOptions;
  readonly #display: ProgressDisplay;
  readonly #startedAt = performance.now();
  #expected = { files: 0, bytes: 0 };
  /** Lines that wait until nothing is drawn any more, since standard output may be the same terminal. */
  readonly #held: string[] = [];

  constructor(options: ReportOptions) {
    this.#options = options;
    const isSeen = !(options.toStdout && process.stdout.isTTY);
    this.#display = new ProgressDisplay(process.stderr, isSeen && !options.quiet);
  }

  file(name: string): FileListener {
    return new TextFile(name, this.#options, this.#display, (line) => {
      if (this.#display.draws) this.#held.push(line);
      else this.#print(line);
    });
  }

  found(files: number, bytes: number): void {
    this.#expected = { files: this.#expected.files + files, bytes: this.#expected.bytes + bytes };
    this.#display.expect(this.#expected.files, this.#expected.bytes);
  }

  close(totals: GetSummary | undefined): void {
    this.#display.close();
    for (const line of this.#held) this.#print(line);
    if (totals === undefined || !this.#options.recursive || this.#options.quiet) return;
    const { files, received, skipped, failures } = totals;
    const seconds = (performance.now() - this.#startedAt) / 1000;
    const parts = [
      files === 1 ? '1 file' : `${files} files`,
      formatBytes(received),
      formatSeconds(seconds),
      rateOf(received, seconds),
    ];
    if (skipped > 0) parts.push(`${skipped} were there`);
    if (failures > 0) parts.push(`${failures} failed`);
    this.#print(parts.join('  '));
  }

  failed(error: ViaductError): number {
    this.close(undefined);
    return printError(error);
  }

  #print(line: string): void {
    (this.#options.toStdout ? process.stderr : process.stdout).write(`${line}\n`);
  }
}

class TextFile implements FileListener {
  readonly #name: string;
  readonly #options: ReportOptions;
  readonly #display: ProgressDisplay;
  readonly #print: (line: string) => void;
  readonly #task: ProgressTask;
  readonly #startedAt = performance.now();
  #retries = 0;
  #kept = '';

  constructor(name: string, options: ReportOptions, display: ProgressDisplay, print: (line: string) => void) {
    this.#print = print;
    this.#name = visible(name);
    this.#options = options;
    this.#display = display;
    this.#task = display.add(name);
  }

  readonly event = (event: GetEvent): void => {
    switch (event.type) {
      case 'phase':
        if (event.phase !== 'waiting') this.#detail(event.phase);
        return this.#task.update({ phase: event.phase });
      case 'reply': {
        const from = event.offset === 0 ? '' : `, from ${formatBytes(event.offset)} on`;
        this.#detail(`${formatBytes(event.size)}${from}, ETag ${visible(event.etag ?? 'missing or weak')}`);
        return this.#task.update({ size: event.size, bytes: event.offset });
      }
      case 'progress':
        return this.#task.update({ bytes: event.bytes });
      case 'retry':
        this.#retries += 1;
        this.#task.update({ phase: 'waiting', retries: this.#retries, waitMs: event.pauseMs });
        return this.#say(`${event.error.message}; trying again in ${(event.pauseMs / 1000).toFixed(1)} s`);
      case 'restart':
        return this.#say(`starting over: ${visible(event.reason)}`);
      case 'kept': {
        const amount = `${formatBytes(event.bytes)} of ${formatBytes(event.size)}`;
        this.#kept = `; ${visible(event.path)} keeps ${amount}, the same command goes on with it`;
      }
    }
  };

  complete({ size, received, sha256 }: GetResult): void {
    const { quiet, verbose, recursive } = this.#options;
    this.#task.done();
    if (quiet || (recursive && !verbose)) return;
    const seconds = (performance.now() - this.#startedAt) / 1000;
    const checked = sha256 === undefined ? 'not verified' : 'verified';
    const parts = [this.#name, formatBytes(size), formatSeconds(seconds), rateOf(received, seconds), checked];
    this.#print(parts.join('  '));
    if (sha256 !== undefined) this.#detail(`SHA-256 ${hex(sha256)}`);
  }

  failed(error: ViaductError): void {
    this.#task.done();
    this.#display.message(errorLine(error, this.#prefix, this.#kept));
  }

  get #prefix(): string {
    return this.#options.several ? `${this.#name}: ` : '';
  }

  #say(text: string): void {
    if (!this.#options.quiet) this.#display.message(`viaduct: ${this.#prefix}${text}`);
  }

  #detail(text: string): void {
    if (this.#options.verbose) this.#say(text);
  }
}

function rateOf(bytes: number, seconds: number): string {
  return `${formatBytes(bytes / Math.max(seconds, 0.001))}/s`;
}

/** Progress of a file is told at most twice a second. */
const PROGRESS_MS = 500;

/** For programs: an object per line on standard error (docs/get-events.md). */
class JsonReport implements GetReport {
  readonly #startedAt = performance.now();

  file(file: string): FileListener {
    const startedAt = performance.now();
    const print = (event: string, members: object): void => printJson({ event, file, ...members });
    let toldAt = -Infinity;
    return {
      event: ({ type, ...members }) => {
        const now = performance.now();
        if (type === 'progress' && now - toldAt < PROGRESS_MS) return;
        if (type === 'progress') toldAt = now;
        const { error, ...others } = { error: undefined, ...members };
        print(type, error === undefined ? others : { ...others, ...errorMembers(error) });
      },
      complete: ({ size, received, sha256 }) => {
        const digest = sha256 === undefined ? undefined : hex(sha256);
        print('complete', { size, received, seconds: secondsSince(startedAt), sha256: digest });
      },
      failed: (error) => print('error', { ...errorMembers(error), exit: outcomeOf(error).exit }),
    };
  }

  found(files: number, bytes: number): void {
    printJson({ event: 'found', files, bytes });
  }

  failed(error: ViaductError): number {
    printJson({ event: 'error', ...errorMembers(error), exit: outcomeOf(error).exit });
    return outcomeOf(error).exit;
  }

  close(totals: GetSummary | undefined): void {
    if (totals === undefined) return;
    const { files, received, skipped, failures } = totals;
    printJson({ event: 'end', files, received, skipped, failures, seconds: secondsSince(this.#startedAt) });
  }
}

function printJson(members: object): void {
  process.stderr.write(jsonLine(members));
}

function errorMembers({ code, hopAddress, hopNumber, message }: ViaductError): object {
  return { code, hopNumber, hopAddress, message };
}

function secondsSince(startedAt: number): number {
  return Number(((performance.now() - startedAt) / 1000).toFixed(3));
}
