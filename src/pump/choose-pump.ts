import { isMainThread } from 'node:worker_threads';
import { ViaductError } from '../errors.js';
import { type SystemCalls, systemCalls } from '../system/calls.js';
import { isGlibc } from '../system/library.js';
import { offloadingPump, socketPump } from './socket-pump.js';
import type { Pump } from './pump.js';
import { SpliceOffload } from './splice/offload.js';

export type PumpName = 'splice' | 'portable';

/** A pump, and what it holds while it exists. */
export interface ChosenPump {
  readonly pump: Pump;
  readonly name: PumpName;
  /** Why it is not the splice pump; undefined if it is, or if the portable one was asked for. */
  readonly why: string | undefined;
  /** Gives back what it holds. Every flow must have ended. */
  close(): Promise<void>;
}

/**
 * The pump that was asked for, or the fastest one that is available.
 * @param onDeath called for each splice worker that died; its flows were reset
 * @throws ViaductError USAGE if splice was asked for and is not available
 */
export function choosePump(asked: PumpName | undefined, onDeath: (cause: Error) => void): ChosenPump {
  const portable = { pump: socketPump, name: 'portable' as const, close: () => Promise.resolve() };
  if (asked === 'portable') return { ...portable, why: undefined };
  const calls = spliceCalls();
  if (!('missing' in calls)) {
    const offload = new SpliceOffload(calls, onDeath);
    const close = (): Promise<void> => offload.close();
    return { pump: offloadingPump(offload), name: 'splice', why: undefined, close };
  }
  if (asked === undefined) return { ...portable, why: calls.missing };
  throw new ViaductError('USAGE', `there is no splice pump here: ${calls.missing}`);
}

/** The structures of epoll(7) differ between architectures, and only one of them is tested. */
function spliceCalls(): SystemCalls | { readonly missing: string } {
  if (process.platform !== 'linux') return { missing: `splice is Linux's, and this is ${process.platform}` };
  if (process.arch !== 'x64') return { missing: `splice is used on x64 only, and this is ${process.arch}` };
  // A thread that is ended from outside would wait for ever for one of its own that sleeps in a system call.
  if (!isMainThread) return { missing: 'splice is used on the main thread only' };
  const calls = systemCalls();
  if ('missing' in calls || isGlibc()) return calls;
  return { missing: 'splice is used with glibc only' };
}
