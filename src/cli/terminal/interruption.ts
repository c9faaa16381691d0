import { setMaxListeners } from 'node:events';
import { constants } from 'node:os';
import { ViaductError } from '../../errors.js';

/** A signal that ends what a command does, cleanly. */
export interface Interruption {
  /** Aborts at SIGINT, SIGTERM or SIGHUP. */
  readonly signal: AbortSignal;
  /** The exit code of a process that such a signal ended, or `code` if none has, or it came when all had ended well. */
  exitCode(code: number): number;
}

/**
 * Listens for signals from now on.
 * @param outcome what becomes of the work, a clause that follows the message
 */
export function listenForInterruption(outcome: string): Interruption {
  const abort = new AbortController();
  // Every transfer listens to it, however many there are: none of them leaks.
  setMaxListeners(0, abort.signal);
  let by: NodeJS.Signals | undefined;
  // SIGHUP comes from a terminal that closes, under nohup too: Node forgets at its start that it was to be
  // ignored (measured), so that nobody can tell. A session of its own (setsid) gets none.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      by ??= signal;
      abort.abort(new ViaductError('ABORTED', `interrupted by ${signal}${outcome}`));
    });
  }
  return {
    signal: abort.signal,
    exitCode: (code) => (by === undefined || code === 0 ? code : 128 + constants.signals[by]),
  };
}
