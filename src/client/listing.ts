import { asViaductError } from '../errors.js';
import { nameOfPath } from '../route/url.js';
import { type Entry, ListingDecoder, type Omitted } from '../wire/http/listing.js';
import { modifiedOf, originError, versionOf } from './http/file-reply.js';
import type { Location } from '../route/location.js';
import type { Field } from '../wire/http/head.js';
import type { Reply } from './http/reply.js';
import { withSessions } from './http/encryption.js';
import { type RequestOptions, request } from './http/request.js';

export interface ListOptions extends Omit<RequestOptions, 'method' | 'fields' | 'sessions'> {
  /** Called after a folder with what it has and the node does not list. */
  readonly onOmitted?: ((omitted: Omitted) => void) | undefined;
}

/**
 * What is at a location: the entries of a folder, or the one entry that a file is. A folder's path need not
 * end with `/`, which costs a request more.
 * @throws ViaductError as {@link request}; BAD_REPLY for an answer that is neither
 */
export function listLocation(location: Location, options: ListOptions = {}): Promise<readonly Entry[]> {
  return withSessions(options, (shared) => list(location, shared));
}

async function list(location: Location, options: ListOptions): Promise<readonly Entry[]> {
  if (location.path.endsWith('/')) return listFolder(location, options);
  const reply = await headOf(location, options);
  // Wherever else it may lead, from a node it means the folder of that name.
  if (reply.status === 301) return listFolder({ ...location, path: `${location.path}/` }, options);
  return [fileEntry(reply, location)];
}

/**
 * The entries of a folder, folders first. Their names are single path segments, but may be anything else: of
 * another system, long, or made to surprise a terminal.
 * @param location its path ends with `/`
 * @throws ViaductError as {@link request}; BAD_REPLY for what is not a listing
 */
export async function listFolder(location: Location, options: ListOptions = {}): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  const omitted = await readFolder(location, options, (entry) => entries.push(entry));
  options.onOmitted?.(omitted);
  return entries;
}

/**
 * Reads a listing as {@link listFolder} does, without keeping it.
 * @param onEntry called for each entry as it arrives; until the promise is fulfilled, the listing may still turn out
 *   to be malformed or cut short
 * @returns what the folder has and the node does not list
 */
export async function readFolder(
  location: Location,
  options: ListOptions,
  onEntry: (entry: Entry) => void,
): Promise<Omitted> {
  const reply = await request(location, { ...options, fields: LISTING_FIELDS });
  if (reply.status !== 200 || reply.field('content-type') !== 'application/json') {
    reply.close();
    throw originError(location, 'BAD_REPLY', 'sent no listing');
  }
  const decoder = new ListingDecoder();
  const decode = (act: () => readonly Entry[]): void => {
    try {
      act().forEach(onEntry);
    } catch (error) {
      const { code, message } = asViaductError(error);
      throw originError(location, code, message, error);
    }
  };
  await reply.read(async (chunk) =>
    decode(() => {
      decoder.push(chunk);
      return decoder.drain();
    }),
  );
  decode(() => decoder.end());
  return decoder.omitted;
}

export const LISTING_FIELDS: readonly Field[] = [['Accept', 'application/json']];

/** The head of what is there, without the rest. @throws ViaductError as {@link request} */
export async function headOf(location: Location, options: ListOptions): Promise<Reply> {
  let reply: Reply;
  try {
    reply = await request(location, { ...options, method: 'HEAD' });
  } catch (error) {
    // A reply to HEAD has no body, and so no description of the error.
    if (asViaductError(error).code !== 'HTTP_ERROR') throw error;
    reply = await request(location, options);
  }
  reply.close();
  return reply;
}

function fileEntry(reply: Reply, location: Location): Entry {
  if (reply.status !== 200) throw originError(location, 'BAD_REPLY', `answered with status ${reply.status}`);
  const { size } = versionOf(reply, location);
  const modified = modifiedOf(reply);
  if (modified === undefined) throw originError(location, 'BAD_REPLY', 'does not tell the time of the file');
  const name = nameOfPath(location.path).split('/').at(-1) ?? '';
  return { kind: 'file', name, size, modified };
}
