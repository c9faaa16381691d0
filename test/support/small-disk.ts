import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { havePeer } from './peers.js';

/** A file system of 1 MiB, read-only if wanted, which is gone when the test ends; undefined, and the test skipped, if there can be none. */
export function smallDisk(t: TestContext, mode: 'rw' | 'ro' = 'rw'): string | undefined {
  if (!havePeer(t, 'mount')) return undefined;
  // Not a tempFolder, which would go before the mount does: what is opened first is closed first.
  const path = mkdtempSync(join(tmpdir(), 'viaduct-test-'));
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=1m,${mode}`, 'viaduct-test', path]);
  t.after(() => {
    if (status === 0) spawnSync('umount', ['-l', path]);
    rmdirSync(path);
  });
  if (status === 0) return path;
  if (process.env['CI'] === 'true') throw new Error('a tmpfs cannot be mounted, and CI skips nothing');
  t.skip('a tmpfs cannot be mounted');
  return undefined;
}
