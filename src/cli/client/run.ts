import { download } from '../../client/classic/download.js';
import { localName } from '../../client/save-name.js';
import { type FetchOptions, type FetchResult, fetchFile } from '../../client/classic/fetch.js';
import { asViaductError } from '../../errors.js';
import { pathForFile } from '../../files/folder.js';
import { type Source } from '../../route/input-file.js';
import { formatBytes, visible } from '../../text.js';
import { readInput } from '../input.js';
import type { CommandContext } from '../context.js';
import { type ProxyOptions, proxyFrom } from '../proxy.js';
import { listenForInterruption } from '../terminal/interruption.js';
import { formatRate, formatSeconds, printError } from '../terminal/print.js';
import { ProgressDisplay } from '../terminal/display.js';
import { standardOutput } from '../terminal/standard-output.js';

/** Parsed options; times in ms. */
export interface ClientOptions extends ProxyOptions {
  readonly output?: string;
  readonly timeout: number;
  readonly connectTimeout: number;
  readonly maxHops: number;
}

/** Fetches the file that an input file names. Returns the exit code. */
export async function runClient(
  input: string,
  options: ClientOptions,
  context: CommandContext,
): Promise<number> {
  const source = await readInput(input, context);
  if (source.pin !== undefined)
    context.stderr.write('viaduct: warning: the pin is not checked; client does not encrypt, get does\n');
  const interruption = listenForInterruption(options.output === '-' ? '' : '; nothing was saved');
  try {
    await fetchAndReport(source, options, context, interruption.signal);
    return 0;
  } catch (error) {
    return interruption.exitCode(printError(asViaductError(error), context.stderr));
  }
}

async function fetchAndReport(
  source: Source,
  options: ClientOptions,
  { stdout, stderr }: CommandContext,
  signal: AbortSignal,
): Promise<void> {
  const toStdout = options.output === '-';
  const name = (): string => localName(source.name);
  const target =
    options.output === undefined ? name() : toStdout ? '-' : await pathForFile(options.output, name);
  const display = new ProgressDisplay(stderr, !(toStdout && stdout.isTTY));
  const task = display.add(target);
  const settings: FetchOptions = {
    timeoutMs: options.timeout,
    connectTimeoutMs: options.connectTimeout,
    maxHops: options.maxHops,
    proxy: proxyFrom(options),
    signal,
    onEvent: ({ bytes }) => task.update({ phase: 'downloading', bytes }),
  };
  let result: FetchResult;
  try {
    result = toStdout
      ? await fetchFile(source, standardOutput(stdout), settings)
      : await download(source, target, settings);
  } finally {
    display.close();
  }
  const { bytes, seconds } = result;
  const output = toStdout ? stderr : stdout;
  output.write('The file got downloaded in the client.\n');
  const shown = visible(toStdout ? source.name : target);
  output.write(`${shown}  ${formatBytes(bytes)}  ${formatSeconds(seconds)}  ${formatRate(bytes, seconds)}\n`);
  if (bytes === 0) {
    const warning = 'the file is empty; an original server sends this too when it fails, so check the name';
    stderr.write(`viaduct: warning: ${warning}\n`);
  }
}
