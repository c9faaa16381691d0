import type { FileListener, GetSummary } from '../../client/get/options.js';
import type { GetEvent, RetryEvent } from '../../client/get/events.js';
import type { GetResult } from '../../client/get/options.js';
import type { ErrorCode, ViaductError } from '../../errors.js';
import { formatBytes, visible } from '../../text.js';
import type { CommandContext } from '../context.js';
import { ProgressDisplay, type ProgressTask } from '../terminal/display.js';
import { errorLine, formatRate, formatSeconds, printError } from '../terminal/print.js';
import { FileTime, QuestionTime } from './question-time.js';
import type { GetReport, ReportOptions } from './report.js';

/** The same command would fail again; the message or the hint says what to do. */
const FAILS_AGAIN: ReadonlySet<ErrorCode> = new Set([
  'NO_DIGEST',
  'UNVERIFIED',
  'UNKNOWN_HOST_KEY',
  'CHANGED_HOST_KEY',
  'WRONG_PIN',
  'UNTRUSTED_CERTIFICATE',
  'TLS_REQUIRED',
]);

/** For people: progress on a terminal, and a line for each result and each problem. */
export class TextReport implements GetReport {
  readonly #options: ReportOptions;
  readonly #context: CommandContext;
  readonly #display: ProgressDisplay;
  readonly #startedAt = performance.now();
  readonly #questions = new QuestionTime();
  #expected = { files: 0, bytes: 0 };

  constructor(options: ReportOptions, context: CommandContext) {
    this.#options = options;
    this.#context = context;
    const fileOnTerminal = options.toStdout && context.stdout.isTTY;
    this.#display = new ProgressDisplay(context.stderr, !fileOnTerminal && !options.quiet);
  }

  pause(): () => void {
    const resume = this.#display.pause();
    const end = this.#questions.ask();
    return () => {
      end();
      resume();
    };
  }

  around(print: () => void): void {
    this.#display.around(print);
  }

  file(name: string): FileListener {
    const time = new FileTime(this.#questions);
    return new FileReport(name, this.#options, this.#display, time, (line) => this.#print(line));
  }

  found(files: number, bytes: number): void {
    this.#expected = { files: this.#expected.files + files, bytes: this.#expected.bytes + bytes };
    this.#display.expect(this.#expected.files, this.#expected.bytes);
  }

  listingRetry(name: string, retry: RetryEvent): void {
    if (!this.#options.quiet) this.#display.message(`viaduct: ${visible(name)}: ${retryText(retry)}`);
  }

  close(totals: GetSummary | undefined): void {
    this.#display.close();
    if (totals === undefined || !this.#options.recursive || this.#options.quiet) return;
    const { files, received, skipped, failures } = totals;
    const seconds = (performance.now() - this.#startedAt - this.#questions.idleMs) / 1000;
    const parts = [
      files === 1 ? '1 file' : `${files} files`,
      formatBytes(received),
      formatSeconds(seconds),
      formatRate(received, seconds),
    ];
    if (skipped > 0) parts.push(`${skipped} skipped`);
    if (failures > 0) parts.push(`${failures} failed`);
    this.#print(parts.join('  '));
  }

  failed(error: ViaductError): number {
    this.close(undefined);
    return printError(error, this.#context.stderr);
  }

  #print(line: string): void {
    const { stdout, stderr } = this.#context;
    const output = this.#options.toStdout ? stderr : stdout;
    this.#display.around(() => output.write(`${line}\n`));
  }
}

/** Reports one file. */
class FileReport implements FileListener {
  readonly #name: string;
  readonly #options: ReportOptions;
  readonly #display: ProgressDisplay;
  readonly #print: (line: string) => void;
  readonly #task: ProgressTask;
  readonly #time: FileTime;
  #retries = 0;
  /** Position at which the first reply began; undefined before it. */
  #resumedAt: number | undefined;
  /** What remains after a failure, as a clause after the error. */
  #kept = '';

  constructor(
    name: string,
    options: ReportOptions,
    display: ProgressDisplay,
    time: FileTime,
    print: (line: string) => void,
  ) {
    this.#print = print;
    this.#time = time;
    this.#name = visible(name);
    this.#options = options;
    this.#display = display;
    this.#task = display.add(name);
  }

  readonly event = (event: GetEvent): void => {
    switch (event.type) {
      case 'phase':
        if (event.phase !== 'waiting') this.#messageIfVerbose(event.phase);
        return this.#task.update({ phase: event.phase });
      case 'trace':
        return this.#messageIfVerbose(`trace ${event.traceId}`);
      case 'reply': {
        this.#time.replied();
        this.#resumedAt ??= event.offset;
        const from = event.offset === 0 ? '' : `, resuming at ${formatBytes(event.offset)}`;
        const etag = visible(event.etag ?? 'missing or weak');
        this.#messageIfVerbose(`${formatBytes(event.size)}${from}, ETag ${etag}`);
        return this.#task.update({ size: event.size, bytes: event.offset });
      }
      case 'progress':
        return this.#task.update({ bytes: event.bytes });
      case 'silence': {
        const { answeredHop } = event;
        this.#messageIfVerbose(answeredHop === 0 ? 'no data for 2 s' : `hop ${answeredHop} answers`);
        return this.#task.update({ answeredHop });
      }
      case 'damaged': {
        const sizes = `${formatBytes(event.bytes)} of ${formatBytes(event.size)}`;
        return this.#message(`${sizes} were damaged on the way; fetching them again`);
      }
      case 'routes':
        return this.#task.update({ routes: event.routes });
      case 'route-failed':
        return this.#message(`${event.error.message}; going on without ${visible(event.location)}`);
      case 'retry':
        this.#retries += 1;
        this.#task.update({
          phase: 'waiting',
          retries: this.#retries,
          waitMs: event.pauseMs,
          giveUpMs: event.remainingMs,
        });
        return this.#message(retryText(event));
      case 'restart':
        return this.#message(`starting over: ${visible(event.reason)}`);
      case 'grown': {
        const sizes = `first ${formatBytes(event.bytes)} of ${formatBytes(event.size)}`;
        return this.#message(`the file has grown at its origin: fetched the ${sizes}`);
      }
      case 'kept': {
        const amount = `${formatBytes(event.bytes)} of ${formatBytes(event.size)}`;
        this.#kept = `; ${amount} saved in ${visible(event.path)}`;
      }
    }
  };

  complete({ size, received, sha256 }: GetResult): void {
    const { quiet, verbose, recursive, tar, plain } = this.#options;
    this.#task.done();
    const seconds = this.#time.end();
    if (quiet || (recursive && !verbose)) return;
    const unverified = tar && !plain ? 'protected by TLS' : 'not verified';
    // Without a reply, the whole file was there and has only been verified.
    const resumedAt = received < size ? (this.#resumedAt ?? size) : 0;
    const resumed = resumedAt > 0 ? [`resumed at ${formatBytes(resumedAt)}`] : [];
    const rate = formatRate(received, seconds);
    const parts = [
      formatBytes(size),
      ...resumed,
      formatSeconds(seconds),
      rate,
      sha256 === undefined ? unverified : 'verified',
    ];
    this.#print([this.#name, ...parts].join('  '));
    if (sha256 !== undefined) this.#messageIfVerbose(`SHA-256 ${sha256}`);
  }

  failed(error: ViaductError): void {
    this.#task.done();
    this.#time.end();
    const { code, transient } = error;
    const couldRetry =
      transient && code !== 'MAX_TIME' && this.#resumedAt === undefined && !this.#options.retryConnect;
    const option = couldRetry ? '; --retry-connect retries this' : '';
    const canResume = this.#kept !== '' && !FAILS_AGAIN.has(code);
    const kept = canResume ? `${this.#kept}, run the same command again to resume` : this.#kept;
    this.#display.message(errorLine(error, this.#prefix, `${option}${kept}`));
  }

  get #prefix(): string {
    return this.#options.several ? `${this.#name}: ` : '';
  }

  #message(text: string): void {
    if (!this.#options.quiet) this.#display.message(`viaduct: ${this.#prefix}${text}`);
  }

  #messageIfVerbose(text: string): void {
    if (this.#options.verbose) this.#message(text);
  }
}

function retryText({ error, attempt, pauseMs, remainingMs }: RetryEvent): string {
  const until =
    remainingMs === undefined || attempt === 0
      ? ''
      : `, giving up after ${formatSeconds(remainingMs / 1000)}`;
  return `${error.message}; retrying in ${(pauseMs / 1000).toFixed(1)} s${until}`;
}
