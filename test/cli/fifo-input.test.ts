import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { settles } from '../support/leaks.js';
import { Child, PROGRAM } from '../support/processes.js';
import { tempFolder } from '../support/temp.js';

/** A command that waits for the writer of a FIFO. */
async function waiting(t: TestContext, args: readonly string[]): Promise<{ child: Child; fifo: string }> {
  const fifo = join(tempFolder(t), 'fifo');
  execFileSync('mkfifo', [fifo]);
  const child = new Child(t, process.execPath, [PROGRAM, ...args, fifo]);
  const open = (): readonly string[] =>
    readdirSync(`/proc/${child.pid}/fd`).map((fd) => linkOf(child.pid, fd));
  await settles(
    open,
    (paths) => paths.includes(fifo),
    (paths) => `the FIFO is not open: ${paths.join(' ')}`,
  );
  return { child, fifo };
}

function linkOf(pid: number, fd: string): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch {
    return '';
  }
}

for (const args of [['client'], ['get', '--route'], ['ls', '--route'], ['trace', '--route']]) {
  test(`${args[0]}: a FIFO without a writer as input file does not keep a signal from ending it`, async (t) => {
    const { child } = await waiting(t, args);
    child.process.kill('SIGTERM');
    assert.ok(['SIGTERM', 143].includes(await child.ended));
  });
}

test('a FIFO is an input file like any other, whenever its writer comes', async (t) => {
  const { child, fifo } = await waiting(t, ['client']);
  // Nothing listens on port 1.
  execFileSync('sh', ['-c', `printf 'file\\n127.0.0.1 1\\n' > "$0"`, fifo]);
  assert.equal(await child.ended, 7, child.stderr);
});
