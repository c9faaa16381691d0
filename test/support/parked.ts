import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { tempFolder } from './temp.js';

/** A pin that no key has. */
export const pinOf = (byte: number): string => `sha256//${Buffer.alloc(32, byte).toString('base64')}`;

/** When the names of tests were taken. */
export const SINCE = '2026-11-27T18:00:00Z';

/** A state folder with a `parked_nodes`. */
export function stateWith(t: TestContext, content: string) {
  const folder = tempFolder(t);
  const path = join(folder, 'parked_nodes');
  writeFileSync(path, content, { mode: 0o600 });
  return { folder, path, text: () => readFileSync(path, 'utf8') };
}
