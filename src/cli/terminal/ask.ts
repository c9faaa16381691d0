import { closeSync, openSync } from 'node:fs';
import { ReadStream } from 'node:tty';

const TERMINAL = '/dev/tty';
/** A longer line is no answer. */
const LINE_CHARACTERS = 4096;

export interface AskOptions {
  /** Where the question is printed. No question is asked unless this is a terminal. */
  readonly stderr: NodeJS.WriteStream;
  /** Time for the answer. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Stops what draws on the terminal, such as the progress of transfers; returns what lets it go on. */
  readonly pause?: () => () => void;
}

/** Why a question was not answered, in a few words. */
interface Unanswered {
  readonly noAnswer: string;
}

/**
 * Prints a question and reads a line from the terminal of the process, not from standard input, which may be a file.
 * @returns the line without its end, or why there is none (Ctrl-D, time limit); undefined if there is no terminal
 * @throws the reason of the signal
 */
export async function askOnTerminal(
  question: string,
  options: AskOptions,
): Promise<string | Unanswered | undefined> {
  const { stderr, timeoutMs, signal, pause } = options;
  signal?.throwIfAborted();
  const terminal = stderr.isTTY ? openTerminal() : undefined;
  if (terminal === undefined) return undefined;
  const resume = pause?.();
  try {
    stderr.write(question);
    const line = await readLine(terminal, timeoutMs, signal);
    // The cursor is behind the question.
    if (typeof line !== 'string') stderr.write('\n');
    signal?.throwIfAborted();
    return line;
  } finally {
    terminal.destroy();
    resume?.();
  }
}

/** Undefined if the process has no terminal, or the system has no such device. */
function openTerminal(): ReadStream | undefined {
  let fd: number;
  try {
    fd = openSync(TERMINAL, 'r');
  } catch {
    return undefined;
  }
  try {
    return new ReadStream(fd);
  } catch {
    closeSync(fd);
    return undefined;
  }
}

/** Unanswered at the end of input, after a failure, the time limit or an abort. */
function readLine(
  terminal: ReadStream,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<string | Unanswered> {
  return new Promise((resolve) => {
    let typed = '';
    const settle = (line: string | Unanswered): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
      resolve(line);
    };
    const giveUp = (): void => settle({ noAnswer: 'no answer' });
    const late = (): void => settle({ noAnswer: `no answer within ${limitText(timeoutMs)}` });
    const timer = setTimeout(late, timeoutMs);
    signal?.addEventListener('abort', giveUp, { once: true });
    terminal.setEncoding('utf8');
    terminal.on('data', (text: string) => {
      typed += text;
      const end = typed.indexOf('\n');
      if (end !== -1) settle(typed.slice(0, end));
      else if (typed.length > LINE_CHARACTERS) giveUp();
    });
    terminal.once('end', giveUp);
    terminal.once('error', giveUp);
  });
}

/** `2 minutes`, or seconds for what is not a whole number of minutes above one. */
function limitText(ms: number): string {
  const minutes = ms / 60_000;
  return Number.isInteger(minutes) && minutes > 1 ? `${minutes} minutes` : `${ms / 1000} s`;
}
