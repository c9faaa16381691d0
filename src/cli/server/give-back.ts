import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { trimMemory } from '../../system/memory.js';

/** A collection stops everything for some 10 ms, so it is made seldom, and only for so much. */
const CHECK_MS = 15_000;
const WORTH_BYTES = 32 * 1024 * 1024;
/** Checks between two collections while so much is in use. */
const CHECKS_IN_USE = 2;
/** Buffers that come and go between two checks of a node that has little to do. */
const QUIET_BYTES = 1024 * 1024;

/**
 * Returns the memory of buffers that are no longer used while the node has little to do. V8 collects garbage when
 * memory is allocated, and the C library keeps what is freed between blocks in use: after many readers have left,
 * both would keep it until the next rush.
 */
export function giveMemoryBack(): void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect !== 'function') return;
  let before = 0;
  let most = 0;
  let next = 0;
  setInterval(() => {
    const { arrayBuffers } = process.memoryUsage();
    most = Math.max(most, arrayBuffers);
    const isQuiet = Math.abs(arrayBuffers - before) < QUIET_BYTES;
    before = arrayBuffers;
    next -= 1;
    if (!isQuiet || most < WORTH_BYTES || next > 0) return;
    collect();
    trimMemory();
    most = process.memoryUsage().arrayBuffers;
    before = most;
    // What is in use stays; it is looked at again, since its readers leave without a trace here.
    next = most < WORTH_BYTES ? 0 : CHECKS_IN_USE;
  }, CHECK_MS).unref();
}
