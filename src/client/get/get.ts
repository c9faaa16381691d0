import { open } from 'node:fs/promises';
import { ViaductError } from '../../errors.js';
import { nameOfPath } from '../../route/url.js';
import { explainBreak } from './broken-hop.js';
import { type Destination, type Sink, StreamDestination } from '../../files/destination.js';

import { HashThread } from '../../files/hash/thread.js';
import { localName } from '../../files/local-name.js';
import type { Location } from '../../route/location.js';
import { PartialFile } from '../../files/partial-file.js';
import { type Place, placeOf, writeAll, writeFailed, writing } from '../../files/target.js';
import { Transfer, type TransferOptions, type Transferred } from './transfer.js';

export interface GetOptions extends TransferOptions {
  /** Ends the download; its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
  /** A file that is there already stays, and the download fails. */
  readonly noClobber?: boolean | undefined;
}

/**
 * Fetches a file over HTTP into `target`, which is the whole file afterwards, or what it was before; or
 * hands its bytes to a function as they come. A connection that breaks is resumed. The bytes go to
 * `TARGET.part`, with a sidecar, and stay there after a failure, so that the same call goes on with them.
 *
 * @throws ViaductError as {@link Transfer.run}; BUSY or WRITE_FAILED of the target; the
 *   signal's reason
 */
export async function get(
  location: Location,
  target: string | Sink,
  options: GetOptions = {},
): Promise<Transferred> {
  const hashes = new HashThread();
  const { signal = new AbortController().signal } = options;
  try {
    const to = await destinationAt(location, target, hashes, options);
    return await bring(location, to, options, signal);
  } finally {
    await hashes.close();
  }
}

/** The name under which a folder is saved if the user gives none. @throws ViaductError BAD_ROUTE */
export function folderNameOf({ path }: Location): string {
  const name = nameOfPath(path).replace(/\/+$/, '');
  if (name === '') throw new ViaductError('BAD_ROUTE', 'the root of a host has no name; give one with -o');
  return localName(name);
}

/** The name under which a file is saved if the user gives none. @throws ViaductError BAD_ROUTE */
export function targetNameOf({ path }: Location): string {
  if (path.endsWith('/'))
    throw new ViaductError('BAD_ROUTE', `"${path}" is a folder; name a file, or fetch all of it with -r`);
  return localName(nameOfPath(path));
}

async function bring(
  location: Location,
  to: Destination,
  options: GetOptions,
  signal: AbortSignal,
): Promise<Transferred> {
  const transfer = new Transfer(location, to, options, signal);
  try {
    const result = await transfer.run();
    await to.complete(result.modified);
    return result;
  } catch (error) {
    const { bytes, version: { size } = { size: 0 } } = to;
    if (to instanceof PartialFile && bytes > 0)
      options.onEvent?.({ type: 'kept', path: to.path, bytes, size });
    if (!transfer.inBody || signal.aborted) throw error;
    throw await explainBreak(error, location, { bytes, size }, { ...options, signal });
  } finally {
    await to.close();
  }
}

async function destinationAt(
  location: Location,
  target: string | Sink,
  hashes: HashThread,
  { verify = true, noClobber = false, inTree = false, onEvent }: GetOptions,
): Promise<Destination> {
  if (typeof target !== 'string') return new StreamDestination(target, verify);
  const place = await placeOf(target, !inTree);
  if (noClobber && place.replaces)
    throw writeFailed(target, 'it is there already, and --no-clobber keeps it');
  if (place.device) return toDevice(place, verify);
  const settings = { place, location, hashes: verify ? hashes : undefined, noClobber, inTree };
  const file = await PartialFile.open(settings);
  if (file.setAside !== undefined)
    onEvent?.({ type: 'restart', reason: `what is in ${file.path} ${file.setAside}` });
  return file;
}

async function toDevice({ target, final, mode }: Place, verify: boolean): Promise<Destination> {
  const file = await writing(target, () => open(final, 'w', mode));
  const sink: Sink = (chunk) => writing(target, () => writeAll(file, chunk));
  return new StreamDestination(sink, verify, () => file.close());
}
