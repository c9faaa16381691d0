import { open } from '../../files/fs.js';
import { type Destination, type Sink, StreamDestination } from '../../files/destination.js';
import { HashThread } from '../../files/hash/thread.js';
import { removeLeftovers } from '../../files/leftovers.js';
import { PartialFile, type ResumeObstacle } from '../../files/partial-file.js';
import { type SaveTarget, inspectTarget } from '../../files/target.js';
import { writeAll } from '../../files/write.js';
import { withWriteErrors, writeError } from '../../files/write-error.js';
import type { Location } from '../../route/location.js';
import { withSessions } from '../http/encryption.js';
import { archiveDownload } from './archive.js';
import { explainBreak } from './broken-hop.js';
import { FileDownload } from './download.js';
import type { GetOptions, GetResult, SharedOptions } from './options.js';
import { isSameOriginPath, recordedSource } from './source.js';

/**
 * Fetches a file over HTTP and saves it as `target`, or passes its bytes to a function as they are received. A broken
 * connection is resumed. `target` is replaced only by the complete file: until then the bytes are in `TARGET.part`,
 * with a sidecar, and both stay after a failure, so that the same call resumes the download. With `archive` the location is that
 * of a folder.
 *
 * @throws ViaductError as {@link FileDownload.run}; BUSY if another process downloads the same target; the reason of
 *   the signal
 */
export function get(location: Location, target: string | Sink, options: GetOptions = {}): Promise<GetResult> {
  return withSessions(options, (shared) => getFile(location, target, shared));
}

/** As {@link get}, as one of several downloads. */
export async function getFile(
  location: Location,
  target: string | Sink,
  options: SharedOptions,
): Promise<GetResult> {
  const hashes = new HashThread();
  const { signal = new AbortController().signal } = options;
  const asked = archiveDownload(location, options);
  try {
    const to = await openDestination(asked.location, target, hashes, asked.options);
    return await download(asked.location, to, asked.options, signal);
  } finally {
    await hashes.close();
  }
}

async function download(
  location: Location,
  to: Destination,
  options: SharedOptions,
  signal: AbortSignal,
): Promise<GetResult> {
  const fileDownload = new FileDownload(location, to, options, signal);
  try {
    const result = await fileDownload.run();
    await to.complete(result.modified);
    return result;
  } catch (error) {
    const { bytes, version: { size } = { size: 0 } } = to;
    if (to instanceof PartialFile && bytes > 0)
      options.onEvent?.({ type: 'kept', path: to.path, bytes, size });
    if (!fileDownload.inBody || signal.aborted) throw error;
    throw await explainBreak(error, location, { bytes, size }, { ...options, signal });
  } finally {
    await to.close();
  }
}

const OBSTACLES: Readonly<Record<ResumeObstacle, string>> = {
  'other-source': 'is from another source',
  'no-etag': 'has no strong ETag to identify the file',
  'too-long': 'is larger than the file',
};

async function openDestination(
  location: Location,
  path: string | Sink,
  hashes: HashThread,
  { verify = true, sha256, noClobber = false, inTree = false, onEvent }: SharedOptions,
): Promise<Destination> {
  const hashed = verify || sha256 !== undefined;
  if (typeof path !== 'string') return new StreamDestination(path, hashed);
  const target = await inspectTarget(path, !inTree);
  if (noClobber && target.exists) {
    await removeLeftovers(target.finalPath, inTree);
    throw writeError(path, 'it already exists (--no-clobber)');
  }
  if (target.isDevice) return openDevice(target, hashed);
  const file = await PartialFile.open({
    target,
    source: recordedSource(location),
    isSameSource: (recorded) => isSameOriginPath(recorded, location),
    hashes: hashed ? hashes : undefined,
    keepExisting: noClobber,
    hiddenName: inTree,
  });
  if (file.obstacle !== undefined)
    onEvent?.({ type: 'restart', reason: `${file.path} ${OBSTACLES[file.obstacle]}` });
  return file;
}

async function openDevice({ path, finalPath, mode }: SaveTarget, hashed: boolean): Promise<Destination> {
  const file = await withWriteErrors(path, () => open(finalPath, 'w', mode));
  const sink: Sink = (chunk) => withWriteErrors(path, () => writeAll(file, chunk));
  return new StreamDestination(sink, hashed, () => file.close());
}
