import { download } from '../../client/classic/download.js';
import { localName } from '../../client/save-name.js';
import { type FetchOptions, type Progress, fetchFile } from '../../client/classic/fetch.js';
import { asViaductError } from '../../errors.js';
import { type Source } from '../../route/input-file.js';
import { formatBytes, visible } from '../../text.js';
import { readInput } from '../input.js';
import { listenForInterruption } from '../terminal/interruption.js';
import { formatSeconds, printError } from '../terminal/print.js';
import { ProgressDisplay } from '../terminal/display.js';
import { standardOutput } from '../terminal/standard-output.js';

/** As the command line gives them; times in ms. */
export interface ClientOptions {
  readonly output?: string;
  readonly timeout: number;
  readonly connectTimeout: number;
  readonly maxHops: number;
}

/** Fetches the file that an input file names. Returns the exit code. */
export async function runClient(input: string, options: ClientOptions): Promise<number> {
  const source = await readInput(input);
  const interruption = listenForInterruption(options.output === '-' ? '' : '; nothing was saved');
  try {
    await fetchAndTell(source, options, interruption.signal);
    return 0;
  } catch (error) {
    return interruption.exitCode(printError(asViaductError(error)));
  }
}

async function fetchAndTell(source: Source, options: ClientOptions, signal: AbortSignal): Promise<void> {
  const toStdout = options.output === '-';
  const target = options.output ?? localName(source.name);
  const display = new ProgressDisplay(process.stderr, !(toStdout && process.stdout.isTTY));
  const task = display.add(target);
  const settings: FetchOptions = {
    timeoutMs: options.timeout,
    connectTimeoutMs: options.connectTimeout,
    maxHops: options.maxHops,
    signal,
    onProgress: ({ bytes }) => task.update({ phase: 'downloading', bytes }),
  };
  let result: Progress;
  try {
    result = toStdout
      ? await fetchFile(source, standardOutput(), settings)
      : await download(source, target, settings);
  } finally {
    display.close();
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
