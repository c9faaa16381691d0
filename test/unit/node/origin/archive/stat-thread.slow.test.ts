import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { FACTS } from '#src/node/origin/archive/facts.js';
import { StatThread } from '#src/node/origin/archive/stat-thread.js';
import { tempFolder } from '../../../../support/temp.js';

test('a folder of the most names of the greatest length fits into the heap of the thread', async (t) => {
  const folder = tempFolder(t);
  const name = 'n'.repeat(255);
  writeFileSync(join(folder, name), 'content');
  const thread = StatThread.start() ?? assert.fail();
  t.after(() => thread.close());
  const facts = await thread.stat({ folder, names: Array.from({ length: 250_000 }, () => name) });
  assert.equal(facts.length, 250_000 * FACTS.length);
  const size = FACTS.indexOf('size');
  for (let at = 0; at < facts.length; at += FACTS.length) assert.equal(facts[at + size], 7n);
});
