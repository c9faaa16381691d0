import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { HostHop } from 'viaduct';
import { requestOf } from '../support/http.js';
import { watchDescriptors } from '../support/leaks.js';
import { testNode } from '../support/nodes.js';
import { NodeProcess } from '../support/processes.js';
import { rawConnect, readToEnd } from '../support/raw.js';
import { randomFile, tempFolder } from '../support/temp.js';
import { repliesIn } from '../support/wire-replies.js';

const LONG_MS = 600_000;
/** Less and more than the kernel takes for a reader that reads nothing. */
const SIZES = [400_000, 3 * 1024 * 1024];

/** A client that reads nothing yet, though the node has handed the kernel the whole reply. */
async function unread(t: TestContext, size: number, later = '') {
  const root = tempFolder(t);
  const file = randomFile(root, 'file', size);
  const node = await testNode(t, { root });
  const nothingOpen = watchDescriptors();
  const client = await rawConnect(t, node.hop);
  client.pause();
  client.write(requestOf([node.hop], '/file', []) + later);
  await node.event(size > 2 ** 19 ? 'serving' : 'completed');
  // One turn, so that the node waits for a further request.
  await new Promise(setImmediate);
  return { node, file, client, nothingOpen };
}

for (const size of SIZES) {
  for (const [what, later] of [
    ['nothing', ''],
    ['half of a second request', 'GET /file HTTP/1.1\r\nHo'],
    ['the first byte of a second request', 'G'],
    ['an empty line', '\r\n'],
    ['half of an empty line', '\r'],
  ] as const) {
    test(`a node that stops loses nothing of ${size} unread bytes of a client that has sent ${what} since`, async (t) => {
      const { node, file, client, nothingOpen } = await unread(t, size, later);
      const closed = node.close(LONG_MS);
      // Longer than the node needs to end what it would end.
      await new Promise(setImmediate);
      const { bytes, how } = await readToEnd(client);
      assert.equal(how, 'end');
      const [reply, ...more] = repliesIn(bytes);
      assert.ok(reply?.body.equals(file));
      assert.equal(more.length, 0);
      client.end();
      await closed;
      assert.ok(!node.events.some(({ type }) => type === 'failed'));
      await nothingOpen();
    });
  }
}

test('a whole second request that was sent ahead is answered by a node that stops, and the last one says close', async (t) => {
  const root = tempFolder(t);
  const file = randomFile(root, 'file', 3 * 1024 * 1024);
  const node = await testNode(t, { root });
  const nothingOpen = watchDescriptors();
  const client = await rawConnect(t, node.hop);
  client.pause();
  client.write(requestOf([node.hop], '/file', []).repeat(3));
  await node.event('serving');
  const closed = node.close(LONG_MS);
  const { bytes, how } = await readToEnd(client);
  assert.equal(how, 'end');
  const replies = repliesIn(bytes);
  assert.ok(replies.length > 0);
  for (const { status, body } of replies) assert.ok(status === 200 && body.equals(file));
  client.end();
  await closed;
  await nothingOpen();
});

test('a node that stops resets no kept connection on which a request comes or a reply goes', async (t) => {
  const root = tempFolder(t);
  randomFile(root, 'file', 1000);
  const node = await NodeProcess.start(t, { root });
  const clients = await Promise.all(Array.from({ length: 40 }, () => rawConnect(t, node.hop)));
  let replies = 0;
  const endings = clients.map(async (client) => {
    const request = requestOf([node.hop], '/file', []);
    client.on('data', () => client.write(request)).write(request);
    client.on('data', () => (replies += 1) === 400 && node.process.kill('SIGTERM'));
    const how = await Promise.race([once(client, 'end'), once(client, 'error')]);
    client.end();
    return how.length === 0 ? 'end' : 'reset';
  });
  const how = await Promise.all(endings);
  assert.deepEqual(
    how.filter((ending) => ending !== 'end'),
    [],
  );
});

test('idle kept connections end with FIN as soon as a node stops, one with half a request too', async (t) => {
  const node = await testNode(t, { root: tempFolder(t) });
  const other = await testNode(t, { root: tempFolder(t) });
  const nothingOpen = watchDescriptors();
  const keep = async (hop: HostHop, later = ''): Promise<Socket> => {
    const client = await rawConnect(t, hop);
    client.write(requestOf([hop], '/.viaduct/status', []) + later);
    await once(client, 'data');
    return client;
  };
  const clients = [await keep(node.hop), await keep(node.hop, 'GET /x HTTP/1.1\r\n')];
  await Promise.all(clients.map((_, index) => node.event('completed', index)));
  await new Promise(setImmediate);
  // What ends after this one has waited for a further request.
  const measure = await keep(other.hop);
  let measured = false;
  measure.once('end', () => (measured = true)).resume();
  const closed = node.close(LONG_MS);
  for (const client of clients) {
    assert.deepEqual(await readToEnd(client), { bytes: Buffer.alloc(0), how: 'end' });
    client.end();
  }
  await closed;
  assert.equal(measured, false, 'a stopping node waited');
  measure.destroy();
  await nothingOpen();
});

test('a first request that is half sent is reset when the node stops', async (t) => {
  const node = await testNode(t, { timeoutMs: LONG_MS });
  const nothingOpen = watchDescriptors();
  const client = await rawConnect(t, node.hop);
  const ending = readToEnd(client);
  client.write('GET /file HTTP/1.1\r\nHo');
  await node.event('accepted');
  await node.close(LONG_MS);
  assert.equal((await ending).how, 'reset');
  assert.equal((await node.event('failed')).error.code, 'ABORTED');
  await nothingOpen();
});
