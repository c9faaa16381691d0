import { library } from './library.js';

let trim: (() => void) | undefined;

/**
 * Returns freed memory of the C library to the system: malloc_trim(3). Does nothing where it is not available (musl,
 * no koffi).
 */
export function trimMemory(): void {
  trim ??= declare();
  trim();
}

function declare(): () => void {
  const libc = library();
  if ('missing' in libc) return () => {};
  try {
    const mallocTrim = libc.func<(pad: number) => number>('int malloc_trim(size_t pad)');
    return () => void mallocTrim(0);
  } catch {
    return () => {};
  }
}
