import { constants } from 'node:fs';
import { type FileHandle, open, rm, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode, systemReason } from '../errors.js';
import { type GrowingHash, HASH_PART_BYTES, type HashThread } from './hash/thread.js';
import { formatBytes, visible } from '../text.js';
import { fileCalls } from '../system/file-calls.js';
import type { Destination } from './destination.js';
import type { Version } from './version.js';
import { type FileLock, lockFile } from './lock.js';
import type { Location } from '../route/location.js';
import { type PartialPaths, partialPathsOf } from './partial-name.js';
import { type Place, isAt, publish, writeFailed, writeNow, writing } from './target.js';
import { type Sidecar, isSameFile, readSidecar, sidecarOf, writeSidecar } from './sidecar.js';

/** The disk is told to write after this much of a download. */
const FLUSH_BYTES = 64 * 1024 * 1024;

export interface PartialOptions {
  readonly place: Place;
  readonly location: Location;
  /** Hashes what is written; undefined if no digest is wanted. */
  readonly hashes: HashThread | undefined;
  /** A file that is there already stays. */
  readonly noClobber: boolean;
  /** It is a file of a folder that is fetched: it gets the origin's time of change, and others come beside it. */
  readonly inTree: boolean;
}

/** `FILE.part` and its sidecar `FILE.part.json`: a download that may be resumed, by this process alone. */
export class PartialFile implements Destination {
  readonly restartable = true;
  version: Version | undefined;
  bytes = 0;
  /** What was on disk when it was opened cannot be gone on with, and why; undefined if it can, or nothing was. */
  readonly setAside: string | undefined;
  readonly #options: PartialOptions;
  readonly #paths: PartialPaths;
  readonly #file: FileHandle;
  readonly #lock: FileLock;
  #hash: GrowingHash | undefined;
  /** Bytes up to which the disk was told to write, and that it is at it. */
  #flushed = 0;
  #flushing: Promise<void> | undefined;
  /** Linux tells an error of the disk once (fsync(2)), so it is kept for the end. */
  #flushFailure: { readonly error: unknown } | undefined;
  /** What is on disk is of this download alone: nobody else's is removed. */
  #owned: boolean;

  private constructor(options: PartialOptions, opened: Opened) {
    this.#options = options;
    this.#paths = opened.paths;
    this.#file = opened.file;
    this.#lock = opened.lock;
    const { sidecar, size } = opened;
    this.#owned = size === 0;
    if (sidecar === undefined || size === 0) return;
    if (!isSameFile(sidecar, options.location)) this.setAside = 'is of another source';
    else if (sidecar.etag === undefined) this.setAside = 'has no strong ETag to tell the file by';
    else if (size > sidecar.size) this.setAside = 'is larger than the file';
    else {
      this.version = sidecar;
      this.bytes = size;
      this.#follow();
    }
  }

  /**
   * Opens or creates the partial file of a place, and locks it.
   * @throws ViaductError BUSY if another process has it, WRITE_FAILED
   */
  static async open(options: PartialOptions): Promise<PartialFile> {
    const { place } = options;
    return writing(place.target, async () => {
      const paths = partialPathsOf(place.final, options.inTree);
      const { file, lock } = await openLocked(paths, place);
      try {
        const { size } = await file.stat();
        const sidecar = await ownSidecar(paths, size, place);
        if (place.replaces) await file.chmod(place.mode);
        return new PartialFile(options, { paths, file, lock, sidecar, size });
      } catch (error) {
        await file.close();
        await lock.release();
        throw error;
      }
    });
  }

  /** Where the bytes are until they are whole. */
  get path(): string {
    return this.#paths.partial;
  }

  async begin(version: Version): Promise<void> {
    const { location, place } = this.#options;
    await this.#hash?.close();
    await writing(place.target, async () => {
      this.bytes = 0;
      this.#flushed = 0;
      this.#owned = true;
      await this.#file.truncate(0);
      // From here on the bytes are those of the new version, whenever a crash comes.
      await writeSidecar(this.#paths.sidecar, sidecarOf(location, version));
      this.version = version;
      await this.#reserve(version.size);
    });
    this.#follow();
  }

  async write(chunk: Buffer): Promise<void> {
    try {
      writeNow(this.#file, chunk, this.bytes);
    } catch (error) {
      throw writeFailed(this.#options.place.target, systemReason(error), error);
    }
    this.bytes += chunk.length;
    this.#hash?.advance(this.bytes);
    if (this.#flushing || this.bytes - this.#flushed < FLUSH_BYTES) return;
    this.#flushed = this.bytes;
    this.#flushing = this.#flush();
  }

  digest(): Promise<string> {
    const hash = this.#hash;
    if (!hash) throw new Error('no digest was asked for');
    // The disk is at the rest while that is hashed, if it is much.
    if (this.bytes - this.#flushed >= HASH_PART_BYTES) this.#flushing ??= this.#flush();
    return writing(this.#options.place.target, () => hash.digest());
  }

  async complete(modified: Date | undefined): Promise<void> {
    await this.#hash?.close();
    await this.#flushing;
    const { place, noClobber, inTree } = this.#options;
    if (this.#flushFailure) {
      const { error } = this.#flushFailure;
      throw writeFailed(place.target, systemReason(error), error);
    }
    if (inTree && modified) await writing(place.target, () => this.#file.utimes(modified, modified));
    const { partial, sidecar } = this.#paths;
    await publish(this.#file, partial, place, { keep: noClobber, sidecar });
    this.#owned = false;
  }

  async discard(): Promise<void> {
    await this.#hash?.close();
    this.bytes = 0;
    this.version = undefined;
    const { partial, sidecar } = this.#paths;
    await writing(this.#options.place.target, async () => {
      // In this order: a partial file with bytes and without a sidecar would be taken for somebody else's.
      await this.#file.truncate(0);
      if (!(await isAt(this.#file, partial))) return;
      await rm(sidecar, { force: true });
      await rm(partial, { force: true });
    });
    this.#owned = false;
  }

  async close(): Promise<void> {
    await this.#hash?.close();
    await this.#flushing;
    if (this.bytes === 0 && this.#owned) await this.discard().catch(() => {});
    await this.#file.close().catch(() => {});
    await this.#lock.release();
  }

  #follow(): void {
    this.#hash = this.#options.hashes?.follow(this.#file.fd);
    this.#hash?.advance(this.bytes);
  }

  /** Has the disk write while more comes, so that the sync at the end has little left to do. */
  async #flush(): Promise<void> {
    try {
      await this.#file.datasync();
    } catch (error) {
      this.#flushFailure ??= { error };
    }
    this.#flushing = undefined;
  }

  /** Says at once that there is too little space, and takes it where the file system can. */
  async #reserve(size: number): Promise<void> {
    const { target, final } = this.#options.place;
    const { bavail, bsize } = await statfs(dirname(final));
    const free = bavail * bsize;
    if (size > free)
      throw writeFailed(target, `it needs ${formatBytes(size)}, and ${formatBytes(free)} are free`);
    if (size === 0) return;
    try {
      await fileCalls()?.allocate(this.#file.fd, size);
    } catch (error) {
      if (!CANNOT_ALLOCATE.has(systemCode(error))) throw error;
    }
  }
}

/** A file system that cannot reserve, as NFS before 4.2, and one that does not know the call. */
const CANNOT_ALLOCATE = new Set<string | undefined>(['EOPNOTSUPP', 'ENOTSUP', 'ENOSYS', 'EINVAL']);

interface Opened {
  readonly paths: PartialPaths;
  readonly file: FileHandle;
  readonly lock: FileLock;
  readonly sidecar: Sidecar | undefined;
  readonly size: number;
}

/**
 * The sidecar of an opened partial file; undefined if there is neither a sidecar nor a byte.
 * @throws ViaductError WRITE_FAILED if one of the two is not of viaduct
 */
async function ownSidecar(
  { partial, sidecar }: PartialPaths,
  size: number,
  { target }: Place,
): Promise<Sidecar | undefined> {
  const read = await readSidecar(sidecar);
  if (read === 'foreign' && size === 0) await rm(partial, { force: true });
  const foreign = read === 'foreign' ? sidecar : read === 'missing' && size > 0 ? partial : undefined;
  if (foreign !== undefined)
    throw writeFailed(target, `${visible(foreign)} is there, and not of viaduct; move it away`);
  return typeof read === 'string' ? undefined : read;
}

/** A link that somebody has put there is not followed. */
const FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;

/** Opens and locks; again, if another process had given the file its final name or removed it in between. */
async function openLocked(
  { partial }: PartialPaths,
  { target, mode }: Place,
): Promise<{ file: FileHandle; lock: FileLock }> {
  for (;;) {
    const file = await open(partial, FLAGS, mode);
    try {
      if (!(await file.stat()).isFile()) throw writeFailed(target, `${visible(partial)} is not a file`);
      const lock = await lockFile(file, partial, target);
      if (lock !== undefined) return { file, lock };
    } catch (error) {
      await file.close();
      throw error;
    }
    await file.close();
  }
}
