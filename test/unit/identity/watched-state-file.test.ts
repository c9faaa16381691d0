import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { WatchedStateFile } from '#src/identity/watched-state-file.js';
import { tempFolder } from '../../support/temp.js';

/** A watched file whose content is its text, and the texts that were parsed. */
function watched(t: TestContext, maxAgeMs?: number) {
  const folder = tempFolder(t);
  const path = join(folder, 'file');
  const parsed: string[] = [];
  const parse = (_: string, text: string): string => {
    parsed.push(text);
    if (text === 'bad') throw new Error('bad');
    return text;
  };
  const write = (text: string): void => writeFileSync(path, text, { mode: 0o600 });
  return { path, parsed, write, file: new WatchedStateFile(folder, { name: 'file', parse }, maxAgeMs) };
}

test('what is changed before a call is seen, and calls at the same time share a look', async (t) => {
  const { parsed, write, file } = watched(t);
  write('one');
  const first = file.current();
  write('two');
  const later = Array.from({ length: 50 }, () => file.current());
  assert.deepEqual(new Set(await Promise.all(later)), new Set(['two']));
  await first;
  assert.ok(parsed.length <= 2, parsed.join());
});

test('a look may stand for those that follow for a while, also one that failed', async (t) => {
  let now = 1000;
  t.mock.method(performance, 'now', () => now);
  const { path, write, file } = watched(t, 100);
  write('one');
  assert.equal(await file.current(), 'one');
  write('bad');
  now += 99;
  assert.equal(await file.current(), 'one');
  now += 1;
  await assert.rejects(file.current(), /bad/);
  write('two');
  await assert.rejects(file.current(), /bad/);
  now += 100;
  assert.equal(await file.current(), 'two');
  rmSync(path);
  now += 100;
  assert.equal(await file.current(), '');
});
