import { isMainThread } from 'node:worker_threads';
import { type SystemCalls, systemCalls } from '../../system/calls.js';
import { library } from '../../system/library.js';
import { type SocketCalls, socketCalls } from '../../system/socket-calls.js';
import { Poller } from './poller.js';

/** What streams over descriptors share. */
export interface Sockets {
  readonly calls: SystemCalls & SocketCalls;
  readonly poller: Poller;
}

let shared: Sockets | 'none' | undefined;

/** One for the process, made when it is first needed; undefined where it is not possible. For x64, as is the splice pump. */
export function sockets(): Sockets | undefined {
  shared ??= open() ?? 'none';
  return shared === 'none' ? undefined : shared;
}

function open(): Sockets | undefined {
  // A worker thread cannot end while koffi watches a descriptor for it (measured: it crashes the process).
  if (process.arch !== 'x64' || !isMainThread) return undefined;
  const libc = library();
  const calls = systemCalls();
  const more = socketCalls();
  if ('missing' in libc || 'missing' in calls || 'missing' in more || libc.watch === undefined)
    return undefined;
  try {
    return { calls: { ...calls, ...more }, poller: new Poller(calls, libc.watch) };
  } catch {
    // No descriptors are left.
    return undefined;
  }
}
