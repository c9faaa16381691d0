import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode } from '../errors.js';
import { fileCalls } from '../system/file-calls.js';
import { formatBytes } from '../text.js';
import { statfs } from './fs.js';
import type { SaveTarget } from './target.js';
import { writeError } from './write-error.js';

/** The file system cannot reserve space (NFS before 4.2), or does not know the call. */
const CANNOT_RESERVE = new Set<string | undefined>(['EOPNOTSUPP', 'ENOTSUP', 'ENOSYS', 'EINVAL']);

/** The first step of a reservation. */
const STEP_BYTES = 64 * 1024 * 1024;

/**
 * The disk space of a file that is being written, where the file system can reserve it. The size comes from another
 * host, so no more is reserved than twice of what was written, or one step: a killed process cannot release it.
 */
export class Reservation {
  readonly #file: FileHandle;
  readonly #size: number;
  #reserved = 0;
  #isPossible = true;

  /** @param size of the complete file */
  constructor(file: FileHandle, size: number) {
    this.#file = file;
    this.#size = size;
  }

  /**
   * Reserves the next step if `end`, the end of what will be written, is beyond the last one.
   * @throws system errors, ENOSPC among them
   */
  async cover(end: number): Promise<void> {
    if (!this.#isPossible || end <= this.#reserved || this.#reserved >= this.#size) return;
    const length = Math.min(this.#size, Math.max(STEP_BYTES, 2 * end));
    try {
      await fileCalls()?.allocate(this.#file.fd, length);
      this.#reserved = length;
    } catch (error) {
      if (!CANNOT_RESERVE.has(systemCode(error))) throw error;
      this.#isPossible = false;
    }
  }

  /** Gives back what is reserved behind the end of the file. */
  async release(): Promise<void> {
    if (this.#reserved === 0) return;
    this.#reserved = 0;
    // Space behind the end is freed by a truncation to the same size (fallocate(2)).
    await this.#file.truncate((await this.#file.stat()).size);
  }
}

/**
 * Fails immediately if the disk is too full for a file.
 * @throws ViaductError WRITE_FAILED; system errors
 */
export async function checkFreeSpace(size: number, target: SaveTarget): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(target.finalPath));
  const free = bavail * bsize;
  if (size <= free) return;
  const reason = `the disk is too full: ${formatBytes(size)} needed, ${formatBytes(free)} free`;
  throw writeError(target.path, reason);
}
