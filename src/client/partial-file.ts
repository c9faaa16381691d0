import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, rm, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { systemCode, systemReason } from '../errors.js';
import { FLUSH_BYTES } from '../limits.js';
import { visible } from '../route.js';
import { fileCalls } from '../system/file-calls.js';
import { formatBytes } from '../units.js';
import type { Destination, Version } from './destination.js';
import { type FileLock, lockFile } from './file-lock.js';
import type { GrowingHash, HashThread } from './hash-thread.js';
import type { Location } from './location.js';
import { type Place, publish, writeFailed, writeNow, writing } from './place.js';
import { type Sidecar, isSameFile, readSidecar, sidecarOf, writeSidecar } from './sidecar.js';

export interface PartialOptions {
  readonly place: Place;
  readonly location: Location;
  /** Hashes what is written; undefined if no digest is wanted. */
  readonly hashes: HashThread | undefined;
  /** A file that is there already stays. */
  readonly noClobber: boolean;
  /** The file gets the origin's time of change. */
  readonly keepTime: boolean;
}

/** `FILE.part` and its sidecar `FILE.part.json`: a download that may be resumed, by this process alone. */
export class PartialFile implements Destination {
  readonly restartable = true;
  version: Version | undefined;
  bytes = 0;
  /** What was on disk when it was opened cannot be gone on with, and why; undefined if it can, or nothing was. */
  readonly setAside: string | undefined;
  readonly #options: PartialOptions;
  readonly #paths: Paths;
  readonly #file: FileHandle;
  readonly #lock: FileLock;
  #hash: GrowingHash | undefined;
  /** Bytes up to which the disk was told to write, and that it is at it. */
  #flushed = 0;
  #flushing: Promise<void> | undefined;
  /** Linux tells an error of the disk once (fsync(2)), so it is kept for the end. */
  #flushFailure: { readonly error: unknown } | undefined;
  #published = false;

  private constructor(options: PartialOptions, opened: Opened) {
    this.#options = options;
    this.#paths = opened.paths;
    this.#file = opened.file;
    this.#lock = opened.lock;
    const { sidecar, size } = opened;
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
      const paths = pathsOf(place);
      const { file, lock } = await openLocked(paths, place);
      try {
        const { size } = await file.stat();
        const read = await readSidecar(paths.sidecar);
        if (read === 'missing' && size > 0)
          throw writeFailed(
            place.target,
            `${visible(paths.partial)} is there, and not of viaduct; move it away`,
          );
        if (place.replaces) await file.chmod(place.mode);
        const sidecar = typeof read === 'string' ? undefined : read;
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
    return writing(this.#options.place.target, () => hash.digest());
  }

  async complete(modified: Date | undefined): Promise<void> {
    await this.#hash?.close();
    await this.#flushing;
    const { place, noClobber, keepTime } = this.#options;
    if (this.#flushFailure) {
      const { error } = this.#flushFailure;
      throw writeFailed(place.target, systemReason(error), error);
    }
    if (keepTime && modified) await writing(place.target, () => this.#file.utimes(modified, modified));
    await publish(this.#file, this.#paths.partial, place, noClobber);
    this.#published = true;
    await rm(this.#paths.sidecar, { force: true }).catch(() => {});
  }

  async discard(): Promise<void> {
    await this.#hash?.close();
    this.bytes = 0;
    this.version = undefined;
    // In this order: a partial file without a sidecar would be taken for somebody else's.
    await writing(this.#options.place.target, () => rm(this.#paths.partial, { force: true }));
    await rm(this.#paths.sidecar, { force: true }).catch(() => {});
  }

  async close(): Promise<void> {
    await this.#hash?.close();
    await this.#flushing;
    if (this.bytes === 0 && !this.#published) await this.discard().catch(() => {});
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

interface Paths {
  readonly partial: string;
  readonly sidecar: string;
}

interface Opened {
  readonly paths: Paths;
  readonly file: FileHandle;
  readonly lock: FileLock;
  readonly sidecar: Sidecar | undefined;
  readonly size: number;
}

/** A name has at most 255 bytes on most file systems. */
const NAME_BYTES = 255;
const LONGEST_SUFFIX = '.part.json.new';

function pathsOf({ final }: Place): Paths {
  const name = basename(final);
  const fits = Buffer.byteLength(name) + LONGEST_SUFFIX.length <= NAME_BYTES;
  const short = `.viaduct-${createHash('sha256').update(name).digest('hex').slice(0, 16)}`;
  const partial = join(dirname(final), `${fits ? name : short}.part`);
  return { partial, sidecar: `${partial}.json` };
}

/** A link that somebody has put there is not followed. */
const FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;

/** Opens and locks; again, if another process had given the file its final name or removed it in between. */
async function openLocked(
  { partial }: Paths,
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
