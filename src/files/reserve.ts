import { type FileHandle, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode } from '../errors.js';
import { fileCalls } from '../system/file-calls.js';
import { formatBytes } from '../text.js';
import type { SaveTarget } from './target.js';
import { writeError } from './write-error.js';

/** The file system cannot reserve space (NFS before 4.2), or does not know the call. */
const CANNOT_RESERVE = new Set<string | undefined>(['EOPNOTSUPP', 'ENOTSUP', 'ENOSYS', 'EINVAL']);

/** The first step. Each further one doubles what is reserved, so that a sender who lies about the size gains little. */
const FIRST_STEP = 16 * 1024 * 1024;

/** Disk space for a file that is being written, reserved ahead of the writes where the file system can. */
export class SpaceReservation {
  readonly #file: FileHandle;
  readonly #size: number;
  #reserved = 0;

  private constructor(file: FileHandle, size: number) {
    this.#file = file;
    this.#size = size;
  }

  /**
   * Fails immediately if the disk is too full for a file.
   * @throws ViaductError WRITE_FAILED; system errors
   */
  static async for(file: FileHandle, size: number, target: SaveTarget): Promise<SpaceReservation> {
    const { bavail, bsize } = await statfs(dirname(target.finalPath));
    const free = bavail * bsize;
    if (size > free) {
      const reason = `the disk is too full: ${formatBytes(size)} needed, ${formatBytes(free)} free`;
      throw writeError(target.path, reason);
    }
    const reservation = new SpaceReservation(file, size);
    await reservation.#reserve(FIRST_STEP);
    return reservation;
  }

  /** True if a write up to this position has to wait for {@link extendTo}. */
  isShort(end: number): boolean {
    return end > this.#reserved && this.#reserved < this.#size;
  }

  async extendTo(end: number): Promise<void> {
    await this.#reserve(2 * end);
  }

  /** Gives back what is reserved behind the end of the file. */
  async release(): Promise<void> {
    if (this.#reserved === 0) return;
    this.#reserved = 0;
    await this.#file.truncate((await this.#file.stat()).size);
  }

  async #reserve(bytes: number): Promise<void> {
    this.#reserved = Math.min(bytes, this.#size);
    if (this.#reserved === 0) return;
    try {
      await fileCalls()?.allocate(this.#file.fd, this.#reserved);
    } catch (error) {
      if (!CANNOT_RESERVE.has(systemCode(error))) throw error;
      this.#reserved = this.#size;
    }
  }
}
