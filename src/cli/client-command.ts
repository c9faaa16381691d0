import { write } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { constants } from 'node:os';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { download, localName } from '../client/download.js';
import { type FetchOptions, type Progress, type Sink, fetchFile } from '../client/fetch.js';
import { ViaductError, asViaductError, systemReason } from '../errors.js';
import { type Source, parseInput, visible } from '../route.js';
import { formatBytes } from '../units.js';
import { formatSeconds, printError } from './print.js';
import { ProgressLine } from './progress.js';

const writeDescriptor = promisify(write);

/** As the command line gives them; times in ms. */
export interface ClientOptions {
  readonly output?: string;
  readonly timeout: number;
  readonly connectTimeout: number;
  readonly maxHops: number;
}

/** Fetches the file that an input file names. Returns the exit code. */
export async function runClient(input: string, options: ClientOptions): Promise<number> {
  const source = parse(await readInput(input), input);
  const interruption = new AbortController();
  let interruptedBy: NodeJS.Signals | undefined;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    // Not once(): a listener that takes itself off first looks, to the library that gives the terminal its
    // cursor back (signal-exit), as if nobody else cared, and it kills the process.
    process.on(signal, () => {
      interruptedBy ??= signal;
      interruption.abort(new ViaductError('ABORTED', `interrupted by ${signal}; nothing was saved`));
    });
  }
  try {
    await fetchAndTell(source, options, interruption.signal);
    return 0;
  } catch (error) {
    const exit = printError(asViaductError(error));
    return interruptedBy === undefined ? exit : 128 + constants.signals[interruptedBy];
  }
}

async function fetchAndTell(source: Source, options: ClientOptions, signal: AbortSignal): Promise<void> {
  const toStdout = options.output === '-';
  const target = options.output ?? localName(source.name);
  // A terminal without a width, as scripts may open one, has no place to draw.
  const canDraw = process.stderr.isTTY && process.stderr.columns > 0 && !(toStdout && process.stdout.isTTY);
  const line = canDraw ? new ProgressLine(target, process.stderr) : undefined;
  const settings: FetchOptions = {
    timeoutMs: options.timeout,
    connectTimeoutMs: options.connectTimeout,
    maxHops: options.maxHops,
    signal,
    onProgress: line?.update,
  };
  let result: Progress;
  try {
    result = toStdout
      ? await fetchFile(source, standardOutput(), settings)
      : await download(source, target, settings);
  } finally {
    line?.clear();
  }
  const { bytes, seconds } = result;
  const rate = `${formatBytes(bytes / Math.max(seconds, 0.001))}/s`;
  const told = toStdout ? process.stderr : process.stdout;
  told.write('The file got downloaded in the client.\n');
  told.write(
    `${visible(toStdout ? source.name : target)}  ${formatBytes(bytes)}  ${formatSeconds(seconds)}  ${rate}\n`,
  );
  if (bytes === 0) {
    const warning =
      'the file is empty; an original server also ends cleanly when it fails, so check its name';
    process.stderr.write(`viaduct: warning: ${warning}\n`);
  }
}

async function readInput(input: string): Promise<string> {
  try {
    return input === '-' ? await text(process.stdin) : await readFile(input, 'utf8');
  } catch (error) {
    throw new ViaductError('READ_FAILED', `cannot read ${visible(input)}: ${systemReason(error)}`, {
      cause: error,
    });
  }
}

function parse(content: string, input: string): Source {
  try {
    return parseInput(content);
  } catch (error) {
    const { code, message } = asViaductError(error);
    throw new ViaductError(code, `${input === '-' ? 'standard input' : visible(input)}: ${message}`, {
      cause: error,
    });
  }
}

/** Standard output as a sink: nothing but the file's bytes, one chunk at a time. */
function standardOutput(): Sink {
  process.stdout.on('error', () => {}); // Each write reports its own failure.
  // Node's stream for a file makes one write(2) of a chunk and takes a short one, which a disk that is
  // nearly full gives, for a whole one (measured): the end of the file would be missing without a word.
  const writeChunk = process.stdout instanceof Socket ? writeToStream : writeToFile;
  return async (chunk) => {
    try {
      await writeChunk(chunk);
    } catch (cause) {
      const message = `cannot write standard output: ${systemReason(cause)}`;
      throw new ViaductError('WRITE_FAILED', message, { cause });
    }
  };
}

/** A terminal, a pipe or a socket. */
function writeToStream(chunk: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(chunk, (error) => (error ? reject(error) : resolve()));
  });
}

async function writeToFile(chunk: Buffer): Promise<void> {
  for (let at = 0; at < chunk.length;) {
    const { bytesWritten } = await writeDescriptor(process.stdout.fd, chunk, at, chunk.length - at);
    at += bytesWritten;
  }
}
