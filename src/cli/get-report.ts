import type { GetEvent } from '../client/get-events.js';
import type { Transferred } from '../client/transfer.js';
import type { ViaductError } from '../errors.js';
import { visible } from '../route.js';
import { formatBytes } from '../units.js';
import { formatSeconds, printError } from './print.js';
import { ProgressDisplay } from './progress/display.js';

/** Tells how a download goes. */
export interface FileReport {
  readonly event: (event: GetEvent) => void;
  complete(result: Transferred): void;
  /** Returns the exit code. */
  failed(error: ViaductError): number;
}

export interface ReportOptions {
  readonly quiet?: true;
  readonly verbose?: true;
  readonly json?: true;
  /** The file's bytes go to standard output, and nothing else may. */
  readonly toStdout: boolean;
}

/** @param name of the file, as the user knows it */
export function fileReport(name: string, options: ReportOptions): FileReport {
  return options.json ? new JsonReport(name) : new TextReport(name, options);
}

/** For people: progress on a terminal, and a line for each thing that is worth one. */
class TextReport implements FileReport {
  readonly #name: string;
  readonly #options: ReportOptions;
  readonly #display: ProgressDisplay;
  readonly #task: ReturnType<ProgressDisplay['add']>;
  readonly #startedAt = performance.now();
  #retries = 0;
  #kept = '';

  constructor(name: string, options: ReportOptions) {
    this.#name = name;
    this.#options = options;
    const isSeen = !(options.toStdout && process.stdout.isTTY);
    this.#display = new ProgressDisplay(process.stderr, isSeen && !options.quiet);
    this.#task = this.#display.add(name);
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

  complete({ size, received, sha256 }: Transferred): void {
    this.#display.close();
    if (this.#options.quiet) return;
    const seconds = (performance.now() - this.#startedAt) / 1000;
    const rate = `${formatBytes(received / Math.max(seconds, 0.001))}/s`;
    const checked = sha256 === undefined ? 'not verified' : 'verified';
    const told = this.#options.toStdout ? process.stderr : process.stdout;
    told.write(
      `${[visible(this.#name), formatBytes(size), formatSeconds(seconds), rate, checked].join('  ')}\n`,
    );
    if (sha256 !== undefined) this.#detail(`SHA-256 ${Buffer.from(sha256, 'base64').toString('hex')}`);
  }

  failed(error: ViaductError): number {
    this.#display.close();
    return printError(error, this.#kept);
  }

  #say(text: string): void {
    if (!this.#options.quiet) this.#display.message(`viaduct: ${text}`);
  }

  #detail(text: string): void {
    if (this.#options.verbose) this.#say(text);
  }
}

/** Progress is told at most twice a second. */
const PROGRESS_MS = 500;

/** For programs: an object per line on standard error (docs/get-events.md). */
class JsonReport implements FileReport {
  readonly #file: string;
  readonly #startedAt = performance.now();
  #toldAt = -Infinity;

  constructor(file: string) {
    this.#file = file;
  }

  readonly event = (event: GetEvent): void => {
    const { type, ...members } = event;
    if (type === 'progress') {
      const now = performance.now();
      if (now - this.#toldAt < PROGRESS_MS) return;
      this.#toldAt = now;
    }
    if (event.type === 'retry') {
      const { attempt, pauseMs, error } = event;
      return this.#print(type, { attempt, pauseMs, ...errorMembers(error) });
    }
    this.#print(type, members);
  };

  complete({ size, received, sha256 }: Transferred): void {
    const seconds = Number(((performance.now() - this.#startedAt) / 1000).toFixed(3));
    const digest = sha256 === undefined ? undefined : Buffer.from(sha256, 'base64').toString('hex');
    this.#print('complete', { size, received, seconds, sha256: digest });
  }

  failed(error: ViaductError): number {
    this.#print('error', { ...errorMembers(error), exit: error.exitCode });
    return error.exitCode;
  }

  #print(event: string, members: object): void {
    process.stderr.write(`${JSON.stringify({ event, file: this.#file, ...members })}\n`);
  }
}

function errorMembers({ code, hop, hopNumber, message }: ViaductError): object {
  return { code, hop: hopNumber, address: hop, message };
}
