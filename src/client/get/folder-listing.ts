import type { Location } from '../../route/location.js';
import type { Entry, Omitted } from '../../wire/http/listing.js';
import { type ListOptions, readFolder } from '../listing.js';
import { PackedQueue } from './packed-queue.js';

/** A folder's entries, the number and total size of its files, and what it has besides. */
export interface Listing {
  readonly entries: PackedQueue<Entry>;
  readonly files: number;
  readonly bytes: number;
  readonly omitted: Omitted;
}

/** Reads a listing into little memory. @throws ViaductError as {@link readFolder} */
export async function packedListing(location: Location, options: ListOptions): Promise<Listing> {
  const entries = new PackedQueue<Entry>();
  let [files, bytes] = [0, 0];
  const omitted = await readFolder(location, options, (entry) => {
    entries.push(entry);
    if (entry.kind !== 'file') return;
    files += 1;
    bytes += entry.size;
  });
  return { entries, files, bytes, omitted };
}
