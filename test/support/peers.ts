import { spawnSync } from 'node:child_process';
import type { TestContext } from 'node:test';

/** True if a program is here. If not, the test is skipped by name, or fails where `CI=true`. */
export function havePeer(t: TestContext, program: string): boolean {
  if (spawnSync('which', [program]).status === 0) return true;
  if (process.env['CI'] === 'true') throw new Error(`${program} is not installed, and CI skips nothing`);
  t.skip(`${program} is not installed`);
  return false;
}
