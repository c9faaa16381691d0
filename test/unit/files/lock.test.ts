import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { lockFile } from '#src/files/lock.js';
import { failureOf } from '../../support/failures.js';
import '../../support/hide-koffi.js';
import { tempFolder } from '../../support/temp.js';

const dead = String(spawnSync(process.execPath, ['-e', '']).pid);
const ROUNDS = 50;

async function partial(t: TestContext) {
  const folder = tempFolder(t);
  const path = join(folder, 'file.part');
  const file = await open(path, 'wx');
  t.after(() => file.close().catch(() => {}));
  return { folder, path, lock: `${path}.lock`, take: () => lockFile(file, path, 'file'), file };
}

describe('a lock without koffi', () => {
  test('contains the process ID from its creation on, and is removed by its release', async (t) => {
    const { folder, lock, take } = await partial(t);
    const held = await take();
    assert.equal(readFileSync(lock, 'utf8'), String(process.pid));
    assert.equal((await failureOf(take())).code, 'BUSY');
    assert.deepEqual(readdirSync(folder), ['file.part', 'file.part.lock']);
    await held?.release();
    assert.deepEqual(readdirSync(folder), ['file.part']);
  });

  test('that is empty counts as locked, since its owner is writing it', async (t) => {
    const { folder, lock, take } = await partial(t);
    writeFileSync(lock, '');
    assert.equal((await failureOf(take())).code, 'BUSY');
    assert.deepEqual(readdirSync(folder), ['file.part', 'file.part.lock']);
  });

  for (const [kind, create] of [
    ['a FIFO', (path: string) => spawnSync('mkfifo', [path])],
    ['a link to a device', (path: string) => symlinkSync('/dev/zero', path)],
    ['larger than a process ID', (path: string) => writeFileSync(path, '1'.repeat(1000))],
  ] as const) {
    test(`that is ${kind} is refused by its name`, async (t) => {
      const { folder, lock, take } = await partial(t);
      create(lock);
      const { code, message } = await failureOf(take());
      assert.equal(code, 'WRITE_FAILED');
      assert.ok(message.startsWith(`cannot write file: ${lock} is `));
      assert.deepEqual(readdirSync(folder), ['file.part', 'file.part.lock']);
    });
  }

  test('of a dead process is taken over by only one of two processes', async (t) => {
    const { folder, lock, take } = await partial(t);
    for (let round = 0; round < ROUNDS; round += 1) {
      writeFileSync(lock, dead);
      const results = await Promise.allSettled([take(), take()]);
      const held = results.filter((result) => result.status === 'fulfilled');
      assert.equal(held.length, 1);
      assert.deepEqual(readdirSync(folder), ['file.part', 'file.part.lock']);
      await held[0]?.value?.release();
    }
  });

  test('is removed if the file cannot be inspected', async (t) => {
    const { folder, file, take } = await partial(t);
    await file.close();
    await assert.rejects(take());
    assert.deepEqual(readdirSync(folder), ['file.part']);
  });
});
