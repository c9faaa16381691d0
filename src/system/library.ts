import { createRequire } from 'node:module';
import { getSystemErrorMap, getSystemErrorName } from 'node:util';
import type * as Koffi from 'koffi';

/*
 * The C library of this process, through koffi: an optional dependency, as not every platform has it. What is
 * called is declared once, with types, in this folder; no other module loads koffi.
 */

/** A C function as koffi makes it: called at once, or on a thread of libuv's pool, where errno is lost. */
type Declared<F extends (...args: never[]) => number> = F & {
  readonly async: (...args: [...Parameters<F>, (error: Error | null, result: number) => void]) => void;
};

export interface Library {
  /** Declares a function by its C prototype, which `F` repeats. */
  func<F extends (...args: never[]) => number>(prototype: string): Declared<F>;
  /** `errno` of this thread's last call. */
  errno(): number;
  /**
   * Calls back in Node's event loop whenever it finds a descriptor readable. Neither promises nor errors work in the callback as
   * elsewhere: it is to plan another one. Undefined if this koffi cannot do it.
   */
  readonly watch: ((fd: number, callback: () => void) => Watch) | undefined;
}

/** A descriptor that is watched for as long as the process runs. */
export interface Watch {
  /** It keeps the process running, as at first. */
  ref(): void;
  unref(): void;
}

let loaded: Library | { readonly missing: string } | undefined;

/** The library, or why it is not available. */
export function library(): Library | { readonly missing: string } {
  loaded ??= load();
  return loaded;
}

function load(): Library | { readonly missing: string } {
  if (process.platform !== 'linux') return { missing: `not available on ${process.platform}` };
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- require() of an optional package has no type
    const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
    const libc = koffi.load(null);
    return {
      func: <F extends (...args: never[]) => number>(prototype: string) => {
        const declared: unknown = libc.func(prototype);
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the one place that believes a prototype
        return declared as Declared<F>;
      },
      errno: () => koffi.errno(),
      // It has this since 2.15, and does not document it.
      watch:
        typeof koffi.node?.poll === 'function' ? (fd, callback) => koffi.node.poll(fd, callback) : undefined,
    };
  } catch (error) {
    return { missing: `the optional package koffi ${whyNot(error)}` };
  }
}

function whyNot(error: unknown): string {
  if (!(error instanceof Error)) return `does not load: ${String(error)}`;
  if ('code' in error && error.code === 'MODULE_NOT_FOUND') return 'is not installed';
  const [reason = ''] = error.message.split('\n');
  return `does not load: ${reason}`;
}

/** Whether the C library is glibc; musl has no such function. */
export function isGlibc(): boolean {
  const libc = library();
  if ('missing' in libc) return false;
  try {
    libc.func('const char *gnu_get_libc_version()');
    return true;
  } catch {
    return false;
  }
}

/** The error of a system call, in the form of Node's own system errors: `code`, `errno`, `syscall`. */
export class SystemCallError extends Error {
  override readonly name = 'SystemCallError';
  /** Such as `EPIPE`. */
  readonly code: string;
  /** Negative, as Node has it. */
  readonly errno: number;
  readonly syscall: string;

  /** @param result what the call returned: a negative errno */
  constructor(syscall: string, result: number) {
    const code = getSystemErrorName(result);
    super(`${syscall}: ${code}, ${getSystemErrorMap().get(result)?.[1] ?? 'unknown error'}`);
    this.syscall = syscall;
    this.code = code;
    this.errno = result;
  }
}

/** @throws SystemCallError if `result` is a negative errno */
export function checked(syscall: string, result: number): number {
  if (result < 0) throw new SystemCallError(syscall, result);
  return result;
}
