import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A new folder that goes when the test ends. */
export function tempFolder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'viaduct-test-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A file of random bytes in a folder; returns the bytes. */
export function randomFile(folder: string, name: string, size: number): Buffer {
  const bytes = randomBytes(size);
  writeFileSync(join(folder, name), bytes);
  return bytes;
}

/** A file of zeros that takes no room on the disk. */
export function sparseFile(folder: string, name: string, size: number): string {
  const path = join(folder, name);
  writeFileSync(path, '');
  truncateSync(path, size);
  return path;
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
