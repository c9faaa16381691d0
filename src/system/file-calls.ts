import { type Library, SystemCallError, library } from './library.js';

/** asm-generic/errno-base.h, negative. */
const EWOULDBLOCK = -11;
/** sys/file.h: flock(2). */
const LOCK_EX = 2;
const LOCK_NB = 4;
/** linux/fs.h: lseek(2). */
const SEEK_DATA = 3;
/** asm-generic/errno-base.h, negative. */
const ENXIO = -6;
/** linux/falloc.h: fallocate(2). */
const FALLOC_FL_KEEP_SIZE = 1;

/** What Linux can do with an open file and Node has no call for. */
export interface FileCalls {
  /**
   * Takes the exclusive lock of an open file (flock(2)), which ends with the file's last descriptor.
   * @returns false if another process has it
   * @throws SystemCallError ENOLCK, EOPNOTSUPP where the file system has no locks
   */
  lock(fd: number): boolean;
  /**
   * Reserves disk space for the first `length` bytes of a file, whose size stays. Off the main thread.
   * @throws SystemCallError ENOSPC, EDQUOT, EFBIG; EOPNOTSUPP where the file system cannot
   */
  allocate(fd: number, length: number): Promise<void>;
  /**
   * Where the next data are, from `from` on: `from` itself, or the end of the hole there; Infinity if only a hole is left
   * (lseek(2), SEEK_DATA). A file system that does not tell has data everywhere. Moves the descriptor's offset.
   */
  nextData(fd: number, from: number): number;
}

let bound: FileCalls | undefined;

/** The calls, or undefined where they are not available: callers do without. */
export function fileCalls(): FileCalls | undefined {
  if (bound) return bound;
  const libc = library();
  return 'missing' in libc ? undefined : (bound = bind(libc));
}

function bind(libc: Library): FileCalls {
  const flock = libc.func<(fd: number, operation: number) => number>('int flock(int fd, int operation)');
  const fallocate = libc.func<(fd: number, mode: number, offset: number, length: number) => number>(
    'int fallocate(int fd, int mode, int64_t offset, int64_t length)',
  );
  const lseek = libc.func<(fd: number, offset: number, whence: number) => number>(
    'int64_t lseek(int fd, int64_t offset, int whence)',
  );
  return {
    nextData: (fd, from) => {
      const data = lseek(fd, from, SEEK_DATA);
      if (data >= 0) return data;
      return -libc.errno() === ENXIO ? Infinity : from;
    },
    lock: (fd) => {
      if (flock(fd, LOCK_EX | LOCK_NB) === 0) return true;
      const failed = -libc.errno();
      if (failed === EWOULDBLOCK) return false;
      throw new SystemCallError('flock', failed);
    },
    allocate: (fd, length) =>
      new Promise((resolve, reject) => {
        fallocate.async(fd, FALLOC_FL_KEEP_SIZE, 0, length, (error, result) => {
          if (error) return reject(error);
          if (result === 0) return resolve();
          // errno stayed on the other thread. The same call fails here at once, with its errno.
          const again = fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, length);
          if (again === 0) return resolve();
          reject(new SystemCallError('fallocate', -libc.errno()));
        });
      }),
  };
}
