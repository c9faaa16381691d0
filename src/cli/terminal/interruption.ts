import { setMaxListeners } from 'node:events';
import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { ViaductError } from '../../errors.js';

/**
 * Time for an orderly end after the first signal, in ms. What was saved stays valid without one; but a call of the
 * system may block a thread for ever (a device that takes no bytes), and Node waits for its threads.
 */
const END_MS = 900;
/** It is counted in turns of the event loop, so that a machine that is slow to run them has longer. */
const TURNS = 9;

/** Ends a command in an orderly way when the process gets a signal. */
export interface Interruption {
  /** Aborts at SIGINT, SIGTERM or SIGHUP. */
  readonly signal: AbortSignal;
  /** `code`, or after a failure that a signal caused, 128 plus the number of the signal. */
  exitCode(code: number): number;
}

/**
 * Listens for signals from now on. A second signal, or the first one after `endMs`, ends the process immediately.
 * @param outcome what happens to the work, as a clause after the message
 */
export function listenForInterruption(outcome: string, endMs = END_MS): Interruption {
  const abort = new AbortController();
  // Each transfer adds a listener and removes it: many listeners are no leak.
  setMaxListeners(0, abort.signal);
  let by: NodeJS.Signals | undefined;
  // A closing terminal sends SIGHUP under nohup too: at its start Node resets SIGHUP to its default action
  // (measured), so that the program cannot detect nohup. A process in its own session (setsid) gets none.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (by !== undefined) return killSelf(signal);
      by = signal;
      let turns = TURNS;
      setInterval(() => {
        turns -= 1;
        if (turns === 0) killSelf(signal);
      }, endMs / TURNS).unref();
      abort.abort(new ViaductError('ABORTED', `interrupted by ${signal}${outcome}`));
    });
  }
  return {
    signal: abort.signal,
    exitCode: (code) => (by === undefined || code === 0 ? code : 128 + constants.signals[by]),
  };
}

/** Ends the process by the default action of the signal, which waits for no thread; a shell sees the same exit code. */
export function killSelf(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

/** Calls of the system on Node's threads: of files, and of the resolver. */
const ON_THREADS = /^FSReq|^GetAddrInfo/;
const THREADS_MS = 500;
const POLL_MS = 10;

/**
 * Ends the process with the exit code that is set. `process.exit()` waits for calls of the system on Node's threads, and one
 * on a file system that hangs never returns: after a moment the process then ends by SIGKILL.
 */
export async function endProcess(): Promise<void> {
  for (let left = THREADS_MS / POLL_MS; left > 0 && areThreadsBusy(); left -= 1) await delay(POLL_MS);
  if (areThreadsBusy()) killSelf('SIGKILL');
  process.exit();
}

function areThreadsBusy(): boolean {
  return process.getActiveResourcesInfo().some((name) => ON_THREADS.test(name));
}
