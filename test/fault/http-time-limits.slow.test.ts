import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { HostHop } from 'viaduct';
import { parseReply, problemOf, requestOf } from '../support/http.js';
import { watchDescriptors } from '../support/leaks.js';
import { testChain, testNode } from '../support/nodes.js';
import { rawConnect, readToEnd } from '../support/raw.js';
import { sparseFile, tempFolder } from '../support/temp.js';

const LIMIT_MS = 400;
const DRIP_MS = 20;
const LONG_MS = 600_000;

/** Sends text one byte at a time, for as long as the connection takes it. */
function drip(t: TestContext, client: Socket, text: string): void {
  let at = 0;
  const timer = setInterval(() => client.write(text.charAt(at++ % text.length)), DRIP_MS);
  t.after(() => clearInterval(timer));
  client.once('close', () => clearInterval(timer));
  client.once('end', () => clearInterval(timer));
}

for (const [what, begin, rest] of [
  ['stops after the first line', 'GET /file HTTP/1.1\r\n', ''],
  ['stops in its fields', 'GET /file HTTP/1.1\r\nHost: localhost\r\nX: ', ''],
  ['drips on in its fields', 'GET /file HTTP/1.1\r\nHost: localhost\r\nX: ', 'y'],
  ['stops behind a route', 'GET /@127.0.0.1:1/file HTTP/1.1\r\n', ''],
] as const) {
  test(`a head that ${what} is answered with 408 at its deadline`, async (t) => {
    const node = await testNode(t, { timeoutMs: LIMIT_MS });
    const nothingOpen = watchDescriptors();
    const client = await rawConnect(t, node.hop);
    const ending = readToEnd(client);
    client.write(begin);
    if (rest !== '') drip(t, client, rest);
    const reply = parseReply((await ending).bytes);
    assert.equal(reply.status, 408);
    assert.equal(reply.fields.get('connection'), 'close');
    assert.equal(problemOf(reply).code, 'MESSAGE_TIMEOUT');
    assert.equal((await node.event('failed')).error.code, 'MESSAGE_TIMEOUT');
    client.destroy();
    await nothingOpen();
  });
}

for (const [what, begin, rest] of [
  ['never say what they are', 'GE', ''],
  ['may still become a first line', 'GET /file HTT', ''],
  ['come one at a time in the first line', 'GET /', 'x'],
] as const) {
  test(`first bytes that ${what} are cut at the deadline, not before`, async (t) => {
    const node = await testNode(t, { timeoutMs: LIMIT_MS });
    const nothingOpen = watchDescriptors();
    const client = await rawConnect(t, node.hop);
    const ending = readToEnd(client);
    client.write(begin);
    if (rest !== '') drip(t, client, rest);
    await ending;
    const { error } = await node.event('failed');
    assert.equal(error.code, 'MESSAGE_TIMEOUT');
    assert.ok(!node.events.some(({ type }) => type === 'serving'), 'it is not taken for a classic message');
    client.destroy();
    await nothingOpen();
  });
}

test('a head that comes one byte at a time in time is served', async (t) => {
  const root = tempFolder(t);
  writeFileSync(join(root, 'file'), 'content');
  const node = await testNode(t, { root });
  const client = await rawConnect(t, node.hop);
  const ending = readToEnd(client);
  for (const byte of requestOf([node.hop], '/file')) {
    client.write(byte);
    await new Promise(setImmediate);
  }
  assert.equal(parseReply((await ending).bytes).body.toString(), 'content');
});

test('a kept connection ends with FIN when it is idle for too long, with 408 when it begins a head', async (t) => {
  const node = await testNode(t, { root: tempFolder(t), timeoutMs: LIMIT_MS }, { keepAliveMs: LIMIT_MS / 2 });
  const nothingOpen = watchDescriptors();
  const [idle, begun] = await Promise.all([rawConnect(t, node.hop), rawConnect(t, node.hop)]);
  const request = requestOf([node.hop], '/.viaduct/status', []);
  for (const client of [idle, begun]) {
    client.write(request);
    await once(client, 'data');
  }
  begun.write('GET / HTTP/1.1\r\n');
  const [idleEnd, begunEnd] = await Promise.all([readToEnd(idle), readToEnd(begun)]);
  assert.deepEqual(idleEnd, { bytes: Buffer.alloc(0), how: 'end' });
  assert.equal(parseReply(begunEnd.bytes).status, 408);
  const failed = node.events.filter(({ type }) => type === 'failed');
  assert.equal(failed.length, 1, 'to be idle is no failure');
  idle.destroy();
  begun.destroy();
  await nothingOpen();
});

test('a reader of a file or a listing that stalls is cut, at the origin and at a relay', async (t) => {
  const root = tempFolder(t);
  sparseFile(root, 'large', 2 ** 30);
  // So many names of that length that their listing is more than all buffers between hold.
  const names = Array.from({ length: 12_000 }, (_, index) => `${index}-${'ä'.repeat(100)}`);
  for (const name of names) writeFileSync(join(root, name), '');
  const origin = await testNode(t, { root, stallTimeoutMs: LIMIT_MS, pauseTimeoutMs: LIMIT_MS });
  const patient = await testNode(t, { root, stallTimeoutMs: LONG_MS });
  const stalls = { stallTimeoutMs: LIMIT_MS, pauseTimeoutMs: LIMIT_MS };
  const relay = await testNode(t, stalls);
  // Shorter than the stall limit: silence must not count while the reader keeps us from reading. Not for the listing,
  // which may take longer to make: this also limits the wait for a reply's head.
  const brief = await testNode(t, { ...stalls, timeoutMs: LIMIT_MS / 2 });
  const nothingOpen = watchDescriptors();
  for (const [node, path, ...route] of [
    [origin, '/large', origin.hop],
    [brief, '/large', brief.hop, patient.hop],
    [origin, '/', origin.hop],
    [relay, '/', relay.hop, patient.hop],
  ] as const) {
    const client = await rawConnect(t, node.hop);
    client.pause();
    client.write(requestOf(route, path));
    const { error } = await node.event('failed', node === origin && path === '/' ? 1 : 0);
    assert.equal(error.code, 'STALLED', `${path} at ${node === origin ? 'origin' : 'relay'}`);
    assert.equal((await readToEnd(client)).how, 'reset');
  }
  await nothingOpen();
});

test('a node that is closed ends idle kept connections at once and lets a running reply finish', async (t) => {
  const root = tempFolder(t);
  sparseFile(root, 'large', 2 ** 26);
  // Much longer than the replies take, however busy the machine is.
  const times = { keepAliveMs: 60_000 };
  const { nodes, route } = await testChain(t, 2, { root }, times);
  const [relay, origin] = nodes;
  assert.ok(relay && origin);
  const other = await testNode(t, { root }, times);
  const nothingOpen = watchDescriptors();
  const keep = async (hop: HostHop): Promise<Socket> => {
    const client = await rawConnect(t, hop);
    client.write(requestOf([hop], '/.viaduct/status', []));
    await once(client, 'data');
    return client;
  };
  const begin = async (onRoute: readonly HostHop[]): Promise<Socket> => {
    const [hop] = onRoute;
    assert.ok(hop);
    const client = await rawConnect(t, hop);
    client.write(requestOf(onRoute, '/large', []));
    await once(client, 'readable');
    return client;
  };
  const idle = await keep(origin.hop);
  const running = [await begin([origin.hop]), await begin(route)];
  // On a node that goes on it is kept for some time: what ends later has waited for another request.
  const measure = await keep(other.hop);
  let measured = false;
  measure.once('end', () => (measured = true)).resume();

  const closed = Promise.all([origin.close(LONG_MS), relay.close(LONG_MS)]);
  assert.deepEqual(await readToEnd(idle), { bytes: Buffer.alloc(0), how: 'end' });
  idle.end(); // As clients do; the lingering close waits for it.
  for (const client of running) {
    const { bytes, how } = await readToEnd(client);
    const { status, body } = parseReply(bytes);
    assert.deepEqual([status, body.length, how], [200, 2 ** 26, 'end']);
    client.end();
  }
  await closed;
  assert.equal(measured, false, 'a stopping node waited for a further request');
  measure.destroy();
  await nothingOpen();
});
