import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 10;
const DEADLINE_MS = 15_000;

/** Resolves once `figure` passes; a figure of proc(5) has no event, so it is polled, with a deadline. */
export async function settles<T>(
  figure: () => T,
  passes: (value: T) => boolean,
  describe: (value: T) => string,
): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    const value = figure();
    if (passes(value)) return;
    assert.ok(performance.now() < deadline, describe(value));
    await delay(POLL_MS);
  }
}

/** What the open descriptors of a process are (proc(5)): `socket:[…]`, a path, and so on. */
function descriptorsOf(pid: number | 'self'): readonly string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      return []; // Closed in between, as is the one that listed the folder.
    }
  });
}

/** Sockets and files of the test's folders; pipes and event loops come and go with the runtime. */
function countOf(pid: number | 'self'): number {
  return descriptorsOf(pid).filter(
    (target) => target.startsWith('socket:') || target.includes('viaduct-test'),
  ).length;
}

/** How many descriptors of each kind a process has: `socket`, `pipe`, `anon_inode:[eventpoll]` and so on. */
export function descriptorKinds(pid: number | 'self'): Readonly<Record<string, number>> {
  const kinds: Record<string, number> = {};
  for (const target of descriptorsOf(pid).toSorted()) {
    const kind = target.replace(/:\[\d+\]$/, '');
    kinds[kind] = (kinds[kind] ?? 0) + 1;
  }
  return kinds;
}

/** Counts all descriptors of a process, event loops and pipes too; the function returned waits until they are as they were. */
export function watchAllDescriptors(pid: number | 'self'): () => Promise<void> {
  const before = JSON.stringify(descriptorKinds(pid));
  return () =>
    settles(
      () => JSON.stringify(descriptorKinds(pid)),
      (now) => now === before,
      (now) => `descriptors stay open: ${before} before, ${now} now`,
    );
}

/**
 * Counts what the processes have open; the function that it returns waits until nothing more is open
 * than that. Without arguments: this process, in which nodes of the library run.
 */
export function watchDescriptors(...processes: readonly { readonly pid: number }[]): () => Promise<void> {
  const pids = processes.length === 0 ? ['self' as const] : processes.map(({ pid }) => pid);
  const before = pids.map(countOf);
  return () =>
    settles(
      () => pids.map(countOf),
      (now) => now.every((count, index) => count <= (before[index] ?? 0)),
      (now) => `descriptors stay open: ${before.join(', ')} before, ${now.join(', ')} now`,
    );
}
