import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requestOf } from '../support/http.js';
import { testNode } from '../support/nodes.js';
import { exchange, rawConnect } from '../support/raw.js';
import { randomFile, tempFolder } from '../support/temp.js';

const REQUESTS = 1500;

test('requests that are sent ahead and answered without any wait keep no other client waiting', async (t) => {
  const root = tempFolder(t);
  randomFile(root, 'file', 1000);
  const node = await testNode(t, { root });
  const client = await rawConnect(t, node.hop);
  client.resume();
  client.write(requestOf([node.hop], '/.hidden', []).repeat(REQUESTS));
  await node.event('failed', 0);
  const { how } = await exchange(t, node.hop, requestOf([node.hop], '/file'));
  assert.equal(how, 'end');
  const answered = node.events.filter(({ type }) => type === 'failed').length;
  assert.ok(answered < REQUESTS, `all ${answered} requests were answered first`);
});
