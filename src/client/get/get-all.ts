import { TRANSFERS } from '../../defaults.js';
import { withSessions } from '../http/encryption.js';
import { ItemDownload } from './item-download.js';
import { JobStack } from './job-stack.js';
import type { GetAllOptions, GetItem, GetSummary, SharedOptions } from './options.js';
import { Throttle } from './throttle.js';

/**
 * Fetches files and whole folders, several files at the same time. A failed file is reported and skipped; but if the
 * route itself is broken, nothing more is fetched over it.
 * @throws the reason of the signal, if no file was reported as failed because of it
 */
export function getAll(items: readonly GetItem[], options: GetAllOptions): Promise<GetSummary> {
  return withSessions(options, (shared) => getItems(items, shared));
}

async function getItems(
  items: readonly GetItem[],
  options: GetAllOptions & Pick<SharedOptions, 'sessions'>,
): Promise<GetSummary> {
  const summary: GetSummary = { files: 0, received: 0, skipped: 0, failures: 0, firstFailure: undefined };
  const { transfers = TRANSFERS, limitRate } = options;
  const throttle = limitRate === undefined ? undefined : new Throttle(limitRate, transfers);
  const jobs = new JobStack();
  const waiting = items.values();
  jobs.push(() => {
    const { value: item } = waiting.next();
    return item && (() => new ItemDownload({ ...options, throttle }, jobs, summary).run(item));
  });
  await jobs.run(transfers);
  if (summary.failures === 0) options.signal?.throwIfAborted();
  return summary;
}
