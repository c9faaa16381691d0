import assert from 'node:assert/strict';
import { lstatSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { FACTS, UNKNOWN_MODE } from '#src/node/origin/archive/facts.js';
import { StatThread } from '#src/node/origin/archive/stat-thread.js';
import { tempFolder } from '../../../../support/temp.js';

test('what exists, what is a link, what is gone, and what cannot be looked at', async (t) => {
  const folder = tempFolder(t);
  writeFileSync(join(folder, 'file'), 'text');
  symlinkSync('file', join(folder, 'link'));
  const thread = StatThread.start() ?? assert.fail();
  t.after(() => thread.close());
  const names = ['file', 'link', 'gone', 'file/inside'];
  const facts = await thread.stat({ folder, names });
  const of = (index: number): bigint[] => [
    ...facts.subarray(index * FACTS.length, (index + 1) * FACTS.length),
  ];
  for (const index of [0, 1]) {
    const info = lstatSync(join(folder, names[index] ?? ''), { bigint: true });
    assert.deepEqual(
      of(index),
      FACTS.map((fact) => info[fact]),
    );
  }
  assert.deepEqual(
    of(2),
    FACTS.map(() => 0n),
  );
  assert.equal(of(3)[FACTS.indexOf('mode')], UNKNOWN_MODE);
});

test('a thread that ends rejects what is asked of it', async () => {
  const thread = StatThread.start() ?? assert.fail();
  const asked = thread.stat({ folder: '/', names: ['tmp'] });
  thread.close();
  await assert.rejects(asked, /the thread has ended/);
});

test('a thread that has ended rejects what is asked of it then', async () => {
  const thread = StatThread.start() ?? assert.fail();
  const before = thread.stat({ folder: '/', names: ['tmp'] });
  thread.close();
  await assert.rejects(before);
  await assert.rejects(thread.stat({ folder: '/', names: ['tmp'] }), /the thread has ended/);
});
