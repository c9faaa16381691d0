import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testChain } from '../support/nodes.js';
import { randomFile, tempFolder } from '../support/temp.js';
import { formatHop } from 'viaduct';
import { ask, get } from '../support/wire-replies.js';

test('an icon that is not there is no failure, and not worth a line of the log; one that is there is a file', async (t) => {
  const root = tempFolder(t);
  const { nodes, route } = await testChain(t, 2, { root });
  const [relay, origin] = nodes;
  const [, last] = route;
  assert.ok(relay && origin && last);
  for (const [hop, path] of [
    [origin.hop, '/favicon.ico'],
    [relay.hop, `/@${formatHop(last)}/favicon.ico`],
  ] as const) {
    const { status, fields, body } = await ask(t, hop, get(path));
    assert.deepEqual([status, body.length, fields['content-length']], [204, 0, undefined]);
  }
  assert.equal((await origin.event('completed', 0)).isRoutine, true);
  const file = randomFile(root, 'favicon.ico', 100);
  assert.deepEqual((await ask(t, origin.hop, get('/favicon.ico'))).body, file);
  assert.equal((await origin.event('completed', 2)).isRoutine, false);
});
