import { SMALL_FILE_BYTES } from '../../defaults.js';
import { ViaductError } from '../../errors.js';
import type { Location } from '../../route/location.js';
import { type Entry, ListingDecoder, type Omitted } from '../../wire/http/listing.js';
import { type Field, type ReplyHead, fieldOf } from '../../wire/http/head.js';
import type { PipelinedRequest } from '../http/pipeline.js';
import { LISTING_FIELDS, type ListOptions, readFolder } from '../listing.js';
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
  const packed = new PackedListing();
  const omitted = await readFolder(location, options, packed.add);
  return packed.end(omitted);
}

/** A listing that is fetched by one request of a pipeline. */
export class ListingRequest implements PipelinedRequest {
  readonly path: string;
  readonly fields: readonly Field[] = LISTING_FIELDS;
  readonly #packed = new PackedListing();
  readonly #decoder = new ListingDecoder();
  #isListing = false;

  constructor({ path }: Location) {
    this.path = path;
  }

  /** @throws ViaductError BAD_REPLY for what is no listing, and would hold up what is behind it */
  readonly onHead = ({ status, fields }: ReplyHead, length = Infinity): void => {
    this.#isListing = status === 200 && fieldOf(fields, 'content-type') === 'application/json';
    if (!this.#isListing && length > SMALL_FILE_BYTES) throw new ViaductError('BAD_REPLY', 'sent no listing');
  };

  /** @throws ViaductError BAD_REPLY */
  readonly onBody = (piece: Buffer): void => {
    if (!this.#isListing) return;
    this.#decoder.push(piece);
    this.#decoder.drain().forEach(this.#packed.add);
  };

  /** After the whole reply. @throws ViaductError BAD_REPLY, also for what is no listing */
  end(): Listing {
    if (!this.#isListing) throw new ViaductError('BAD_REPLY', 'sent no listing');
    this.#decoder.end().forEach(this.#packed.add);
    return this.#packed.end(this.#decoder.omitted);
  }
}

class PackedListing {
  readonly #entries = new PackedQueue<Entry>();
  #files = 0;
  #bytes = 0;

  readonly add = (entry: Entry): void => {
    this.#entries.push(entry);
    if (entry.kind !== 'file') return;
    this.#files += 1;
    this.#bytes += entry.size;
  };

  end(omitted: Omitted): Listing {
    return { entries: this.#entries, files: this.#files, bytes: this.#bytes, omitted };
  }
}
