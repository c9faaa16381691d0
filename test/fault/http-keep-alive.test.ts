import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { HostHop } from 'viaduct';
import { parseReply, requestOf } from '../support/http.js';
import { testNode } from '../support/nodes.js';
import { rawConnect, readToEnd } from '../support/raw.js';
import { tempFolder } from '../support/temp.js';

const STATUS = '/.viaduct/status';

/** A kept connection whose first request has been answered, and that reply. */
async function kept(t: TestContext, hop: HostHop, path = STATUS): Promise<{ client: Socket; first: Buffer }> {
  const client = await rawConnect(t, hop);
  const replied = once(client, 'data');
  client.write(requestOf([hop], path, []));
  const [first] = (await replied) as [Buffer];
  return { client, first };
}

test('requests sent around the announced end of a kept connection are answered', async (t) => {
  const node = await testNode(t, { root: tempFolder(t) }, { keepAliveMs: 1000 });
  const shares = Array.from({ length: 24 }, (_, index) => 0.94 + index * 0.005);
  const statuses = await Promise.all(
    shares.map(async (share) => {
      const { client, first } = await kept(t, node.hop);
      assert.equal(parseReply(first).fields.get('keep-alive'), 'timeout=1');
      await pause(share * 1000);
      const ending = readToEnd(client);
      client.write(requestOf([node.hop], STATUS));
      return parseReply((await ending).bytes).status;
    }),
  );
  assert.deepEqual(
    statuses,
    shares.map(() => 200),
  );
});

test('a request that has arrived is answered although the process is late to read it', async (t) => {
  const limitMs = 200;
  const node = await testNode(
    t,
    { root: tempFolder(t) },
    { keepAliveMs: limitMs / 2, keepAliveMarginMs: limitMs / 2 },
  );
  const { client } = await kept(t, node.hop);
  const ending = readToEnd(client);
  // The kernel has the request at once; the node's timer is due before this process looks at its sockets again.
  client.write(requestOf([node.hop], STATUS));
  const until = performance.now() + 2 * limitMs;
  while (performance.now() < until);
  assert.equal(parseReply((await ending).bytes).status, 200);
});

test('Keep-Alive is announced only where the connection is kept, after an error too', async (t) => {
  const node = await testNode(t, { root: tempFolder(t) });
  assert.equal(parseReply((await kept(t, node.hop)).first).fields.get('keep-alive'), 'timeout=5');
  assert.equal(parseReply((await kept(t, node.hop, '/missing')).first).fields.get('keep-alive'), 'timeout=5');
  const client = await rawConnect(t, node.hop);
  const ending = readToEnd(client);
  client.write(requestOf([node.hop], STATUS));
  const { fields } = parseReply((await ending).bytes);
  assert.equal(fields.get('connection'), 'close');
  assert.equal(fields.get('keep-alive'), undefined);
});
