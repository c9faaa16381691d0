import type { FileHandle } from 'node:fs/promises';
import { rm } from './fs.js';
import { BackgroundSync } from './background-sync.js';
import type { Destination } from './destination.js';
import { differingParts } from './hash/range.js';
import { type GrowingHash, HASH_PART_BYTES, type HashThread } from './hash/thread.js';
import type { FileLock } from './lock.js';
import { type OpenedPartial, openPartial } from './open-partial.js';
import { type PartialPaths, partialPathsOf } from './partial-name.js';
import {
  type ByteRanges,
  addRange,
  clipRanges,
  contiguousBytes,
  isComplete,
  isContiguous,
  removeRange,
  totalBytes,
} from './ranges.js';
import { Reservation, checkFreeSpace } from './reserve.js';
import { writeSidecar } from './sidecar.js';
import { type SaveTarget, isSameFile, publish } from './target.js';
import type { Version } from './version.js';
import { writeAllSync } from './write.js';
import { withWriteErrors } from './write-error.js';

export interface PartialFileOptions {
  readonly target: SaveTarget;
  /** Where the bytes come from, as text for the sidecar. */
  readonly source: string;
  /** Whether the source in an existing sidecar is the same file, so that the transfer can be resumed. */
  readonly isSameSource: (recorded: string) => boolean;
  /** Computes the SHA-256; undefined if {@link PartialFile.digest} is not called. */
  readonly hashes: HashThread | undefined;
  /** Fail instead of replacing a file that exists at the end. */
  readonly keepExisting: boolean;
  /** Use a name that no file of a remote folder can have; see {@link partialPathsOf}. */
  readonly hiddenName: boolean;
}

/** Why an existing partial file cannot be resumed. */
export type ResumeObstacle = 'other-source' | 'no-etag' | 'too-long';

/**
 * `FILE.part` with its sidecar `FILE.part.json`: a transfer that can be resumed after a failure or a crash. It is
 * locked, so that one process at a time writes it.
 */
export class PartialFile implements Destination {
  readonly restartable = true;
  version: Version | undefined;
  /** Set if the partial file existed but cannot be resumed; {@link begin} then replaces its content. */
  readonly obstacle: ResumeObstacle | undefined;
  readonly #options: PartialFileOptions;
  readonly #paths: PartialPaths;
  readonly #file: FileHandle;
  readonly #lock: FileLock;
  readonly #sync = new BackgroundSync(() => this.#syncToDisk());
  /** The valid parts of the file. */
  #ranges: ByteRanges = [];
  /** The sidecar lists the ranges. From then on the length of the file is not used. */
  #recordsRanges = false;
  #hash: GrowingHash | undefined;
  #reservation: Reservation | undefined;
  /** The content belongs to this transfer, so it may be removed. */
  #isOwned: boolean;

  private constructor(options: PartialFileOptions, { paths, file, lock, sidecar, length }: OpenedPartial) {
    this.#options = options;
    this.#paths = paths;
    this.#file = file;
    this.#lock = lock;
    this.#isOwned = length === 0;
    if (sidecar === undefined || length === 0) return;
    if (!options.isSameSource(sidecar.source)) this.obstacle = 'other-source';
    else if (sidecar.etag === undefined) this.obstacle = 'no-etag';
    else if (length > sidecar.size) this.obstacle = 'too-long';
    else {
      this.version = { etag: sidecar.etag, size: sidecar.size };
      this.#recordsRanges = sidecar.ranges !== undefined;
      this.#ranges = clipRanges(sidecar.ranges ?? [{ start: 0, end: length }], length);
      this.#reservation = new Reservation(file, sidecar.size);
      this.#startHash();
    }
  }

  /**
   * Opens or creates the partial file of a target, and locks it.
   * @throws ViaductError BUSY if another process writes it, WRITE_FAILED
   */
  static async open(options: PartialFileOptions): Promise<PartialFile> {
    const { target, hiddenName } = options;
    return withWriteErrors(target.path, async () => {
      const paths = partialPathsOf(target.finalPath, hiddenName);
      return new PartialFile(options, await openPartial(paths, target));
    });
  }

  /** The path of the partial file. */
  get path(): string {
    return this.#paths.partial;
  }

  get ranges(): ByteRanges {
    return this.#ranges;
  }

  get bytes(): number {
    return totalBytes(this.#ranges);
  }

  get contiguousBytes(): number {
    return contiguousBytes(this.#ranges);
  }

  get isComplete(): boolean {
    return this.version !== undefined && isComplete(this.#ranges, this.version.size);
  }

  async begin(version: Version): Promise<void> {
    const { target } = this.#options;
    await this.#hash?.close();
    await this.#sync.restart();
    await this.#withWriteErrors(async () => {
      this.#ranges = [];
      this.#isOwned = true;
      await this.#file.truncate(0);
      // From here on all content is of the new version, whenever the process crashes.
      this.#recordsRanges = false;
      await this.#writeSidecar(version, undefined);
      this.version = version;
      await checkFreeSpace(version.size, target);
      this.#reservation = new Reservation(this.#file, version.size);
    });
    this.#startHash();
  }

  async write(chunk: Buffer, position: number): Promise<void> {
    const end = position + chunk.length;
    await this.#withWriteErrors(async () => {
      // Not what lies behind a gap: the size comes from another host.
      if (position <= this.contiguousBytes) await this.#reservation?.cover(end);
      const ranges = addRange(this.#ranges, { start: position, end });
      if (!this.#recordsRanges && !isContiguous(ranges)) await this.#startRecordingRanges();
      writeAllSync(this.#file, chunk, position);
      this.#ranges = ranges;
    });
    this.#hash?.advance(this.contiguousBytes);
    this.#sync.advance(this.bytes);
  }

  /** The parts whose SHA-256, as base64, is not this one. @param partBytes size of each part but the last */
  differing(partBytes: number, digests: readonly string[]): Promise<ByteRanges> {
    const size = this.version?.size ?? 0;
    return this.#withWriteErrors(() => differingParts(this.#file, size, partBytes, digests));
  }

  /** What was written there is not valid. */
  async forget(ranges: ByteRanges): Promise<void> {
    await this.#hash?.close();
    await this.#sync.settle();
    await this.#withWriteErrors(async () => {
      this.#ranges = ranges.reduce(removeRange, this.#ranges);
      await this.#startRecordingRanges();
    });
    this.#startHash();
  }

  digest(): Promise<string> {
    const hash = this.#hash;
    if (!hash) throw new Error('the partial file was opened without a hash thread');
    // If much is left to sync, the disk writes it while it is hashed.
    this.#sync.advance(this.bytes, HASH_PART_BYTES);
    return this.#withWriteErrors(() => hash.digest());
  }

  async complete(modified: Date | undefined): Promise<void> {
    await this.#hash?.close();
    await this.#sync.settle();
    const { target, keepExisting } = this.#options;
    const { partial, sidecar } = this.#paths;
    await this.#withWriteErrors(async () => {
      this.#sync.throwIfFailed();
      if (modified) await this.#file.utimes(modified, modified);
      await publish(this.#file, partial, target, { keepExisting, sidecar });
    });
    this.#recordsRanges = false;
    this.#isOwned = false;
    this.#reservation = undefined;
  }

  async discard(): Promise<void> {
    await this.#hash?.close();
    await this.#sync.restart();
    this.#ranges = [];
    this.#recordsRanges = false;
    this.version = undefined;
    const { partial, sidecar } = this.#paths;
    await this.#withWriteErrors(async () => {
      // In this order: a partial file with content but without a sidecar is refused as a file of another program.
      await this.#file.truncate(0);
      if (!(await isSameFile(this.#file, partial))) return;
      await rm(sidecar, { force: true });
      await rm(partial, { force: true });
    });
    this.#isOwned = false;
  }

  async close(): Promise<void> {
    await this.#hash?.close();
    await this.#sync.settle();
    if (this.#isOwned && this.bytes === 0) await this.discard().catch(() => {});
    if (this.#recordsRanges) await this.#syncToDisk().catch(() => {});
    await this.#reservation?.release().catch(() => {});
    await this.#file.close().catch(() => {});
    await this.#lock.release();
  }

  #withWriteErrors<T>(act: () => Promise<T>): Promise<T> {
    return withWriteErrors(this.#options.target.path, act);
  }

  #startHash(): void {
    this.#hash = this.#options.hashes?.follow(this.#file.fd);
    this.#hash?.advance(this.contiguousBytes);
  }

  async #syncToDisk(): Promise<void> {
    const { version } = this;
    const ranges = this.#ranges;
    await this.#file.datasync();
    if (this.#recordsRanges && version !== undefined) await this.#writeSidecar(version, ranges);
  }

  /** Called before the first gap: from then on the length of the file is no longer the number of valid bytes. */
  async #startRecordingRanges(): Promise<void> {
    if (this.version === undefined) throw new Error('write was called before begin');
    await this.#sync.settle();
    await this.#writeSidecar(this.version, this.#ranges);
    this.#recordsRanges = true;
  }

  #writeSidecar({ etag, size }: Version, ranges: ByteRanges | undefined): Promise<void> {
    return writeSidecar(this.#paths.sidecar, { source: this.#options.source, etag, size, ranges });
  }
}
