import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NodeProcess } from '../support/processes.js';
import { tempFolder } from '../support/temp.js';

test('log lines have ISO 8601 times and levels as words', async (t) => {
  const node = await NodeProcess.start(t, { root: tempFolder(t) });
  const line = await node.until(({ log }) => log.find(({ msg }) => msg === 'listening'));
  assert.equal(line['level'], 'info');
  const time = String(line['time']);
  assert.equal(new Date(time).toISOString(), time);
});
