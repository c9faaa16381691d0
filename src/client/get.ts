import { open } from 'node:fs/promises';
import { ViaductError } from '../errors.js';
import { MAX_TIMER_MS } from '../limits.js';
import { nameOfPath } from '../url.js';
import { explainBreak } from './broken-hop.js';
import { type Destination, StreamDestination } from './destination.js';
import type { Sink } from './fetch.js';
import { HashThread } from './hash-thread.js';
import type { Location } from './location.js';
import { PartialFile } from './partial-file.js';
import { type Place, localName, placeOf, writeAll, writeFailed, writing } from './place.js';
import { Transfer, type TransferOptions, type Transferred } from './transfer.js';

export interface GetOptions extends TransferOptions {
  /** Ends the download; its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
  /** For everything together, in ms. @default no limit */
  readonly maxTimeMs?: number | undefined;
  /** A file that is there already stays, and the download fails. */
  readonly noClobber?: boolean | undefined;
}

/**
 * Fetches a file over HTTP into `target`, which is the whole file afterwards, or what it was before; or
 * hands its bytes to a function as they come. A connection that breaks is resumed. The bytes go to
 * `TARGET.part`, with a sidecar, and stay there after a failure, so that the same call goes on with them.
 *
 * @throws ViaductError as {@link Transfer.run}; BUSY or WRITE_FAILED of the target; TIMEOUT of `maxTimeMs`;
 *   the signal's reason
 */
export async function get(
  location: Location,
  target: string | Sink,
  options: GetOptions = {},
): Promise<Transferred> {
  const hashes = new HashThread();
  const end = new AbortController();
  const abort = (): void => end.abort(options.signal?.reason);
  options.signal?.addEventListener('abort', abort, { once: true });
  if (options.signal?.aborted === true) abort();
  const timer = limitTime(options.maxTimeMs, end);
  try {
    const to = await destinationAt(location, target, hashes, options);
    return await bring(location, to, options, end.signal);
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', abort);
    await hashes.close();
  }
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
    await to.complete();
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
  { verify = true, noClobber = false, onEvent }: GetOptions,
): Promise<Destination> {
  if (typeof target !== 'string') return new StreamDestination(target, verify);
  const place = await placeOf(target);
  if (noClobber && place.replaces)
    throw writeFailed(target, 'it is there already, and --no-clobber keeps it');
  if (place.device) return toDevice(place, verify);
  const file = await PartialFile.open({ place, location, hashes: verify ? hashes : undefined, noClobber });
  if (file.setAside !== undefined)
    onEvent?.({ type: 'restart', reason: `what is in ${file.path} ${file.setAside}` });
  return file;
}

async function toDevice({ target, final, mode }: Place, verify: boolean): Promise<Destination> {
  const file = await writing(target, () => open(final, 'w', mode));
  const sink: Sink = (chunk) => writing(target, () => writeAll(file, chunk));
  return new StreamDestination(sink, verify, () => file.close());
}

function limitTime(limitMs: number | undefined, end: AbortController): NodeJS.Timeout | undefined {
  if (limitMs === undefined) return undefined;
  return setTimeout(
    () => end.abort(new ViaductError('TIMEOUT', `the download was not done within ${limitMs / 1000} s`)),
    Math.min(limitMs, MAX_TIMER_MS),
  );
}
