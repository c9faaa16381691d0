import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, get } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type HostHop, formatHop } from 'viaduct';
import { type Fault, faultProxy } from '../support/fault-proxy.js';
import { ask, testGateway } from '../support/gateway.js';
import { testNode } from '../support/nodes.js';
import { RestartableNode } from '../support/restartable.js';
import { randomFile, tempFolder } from '../support/temp.js';

const MIB = 1024 * 1024;
const SIZE = 8 * MIB;
const UNHARMED: Fault = { kind: 'reset', at: Infinity };

/** A relay, and an origin behind a link that harms its first connection. */
async function fileBehind(t: TestContext, fault: Fault, size = SIZE) {
  const root = tempFolder(t);
  const bytes = randomFile(root, 'file', size);
  const [relay, origin] = await Promise.all([testNode(t), testNode(t, { root })]);
  const proxy = await faultProxy(t, origin.hop, (connection) => (connection === 0 ? fault : UNHARMED));
  return { root, bytes, proxy, location: { route: [relay.hop, proxy.hop], path: '/file' } };
}

for (const kind of ['reset', 'cut'] as const) {
  test(`${kind} in the middle of a file: it goes on, and the client does not notice`, async (t) => {
    const { bytes, location, proxy } = await fileBehind(t, { kind, at: 3 * MIB });
    const gateway = await testGateway(t, location);
    const answer = await ask(gateway.url);
    assert.ok(proxy.kinds.has(kind));
    assert.deepEqual([answer.status, answer.isWhole], [200, true]);
    assert.ok(answer.body.equals(bytes));
    const retry = await gateway.event('retry');
    assert.ok(retry.bytes > 0 && retry.bytes < SIZE, `${retry.bytes} bytes`);
    assert.equal((await gateway.event('complete')).bytes, SIZE);
    assert.notEqual((await gateway.event('complete')).sha256, undefined);
  });
}

test('a range goes on within its bounds', async (t) => {
  const { bytes, location, proxy } = await fileBehind(t, { kind: 'reset', at: 3 * MIB });
  const gateway = await testGateway(t, location);
  const answer = await ask(gateway.url, { headers: { Range: 'bytes=1000000-6999999' } });
  assert.ok(proxy.kinds.has('reset'));
  assert.deepEqual([answer.status, answer.isWhole], [206, true]);
  assert.ok(answer.body.equals(bytes.subarray(1_000_000, 7_000_000)));
  assert.equal((await gateway.event('complete')).sha256, undefined, 'a part has no digest');
});

test('a file that changes meanwhile breaks the reply rather than mixing two versions', async (t) => {
  const { root, location, proxy } = await fileBehind(t, { kind: 'reset', at: 3 * MIB });
  const gateway = await testGateway(t, location);
  void proxy.struck.then(() => writeFileSync(join(root, 'file'), Buffer.alloc(SIZE, 'x')));
  const answer = await ask(gateway.url);
  assert.equal(answer.isWhole, false);
  const failed = await gateway.event('failed');
  assert.equal(failed.error.code, 'CHANGED');
});

test('a file that is deleted meanwhile cannot be verified, and its reply breaks before its end', async (t) => {
  const root = tempFolder(t);
  randomFile(root, 'file', 64 * MIB);
  const origin = await testNode(t, { root });
  const gateway = await testGateway(t, { route: [origin.hop], path: '/file' });
  const reply = await begun(gateway.url);
  rmSync(join(root, 'file'));
  await assert.rejects(reply.toArray(), { code: 'ECONNRESET' });
  const { error } = await gateway.event('failed');
  assert.deepEqual([error.code, error.hopNumber], ['UNVERIFIED', 1]);
  assert.match(error.message, /all of the file was received, but can no longer be verified$/);
  assert.ok(!gateway.events.some(({ type }) => type === 'broken'));
});

test('without encryption: a damaged file breaks before its end', async (t) => {
  const root = tempFolder(t);
  randomFile(root, 'file', SIZE);
  const [relay, origin] = await Promise.all([testNode(t), testNode(t, { root })]);
  const proxy = await faultProxy(t, origin.hop, { kind: 'corrupt', at: 3 * MIB });
  const gateway = await testGateway(t, { route: [relay.hop, proxy.hop], path: '/file' }, { plain: true });
  const answer = await ask(gateway.url);
  assert.equal(answer.isWhole, false);
  assert.ok(answer.body.length < SIZE);
  const { error } = await gateway.event('failed');
  assert.deepEqual([error.code, error.hopNumber], ['DIGEST_MISMATCH', 2]);
});

test('without encryption: of a small file that is damaged the client gets nothing but an error', async (t) => {
  const root = tempFolder(t);
  writeFileSync(join(root, 'file'), Buffer.alloc(5000, 'x'));
  const origin = await testNode(t, { root });
  const proxy = await faultProxy(t, origin.hop, { kind: 'corrupt', at: 3000 });
  const gateway = await testGateway(t, { route: [proxy.hop], path: '/file' }, { plain: true });
  const answer = await ask(gateway.url);
  assert.deepEqual([answer.status, answer.isWhole], [502, true]);
  assert.match(answer.body.toString(), /"code":"DIGEST_MISMATCH"/);
});

/** Reads some of a reply, and no more until it is told. */
async function begun(url: string): Promise<IncomingMessage> {
  const request = get(url, { agent: false });
  const [reply] = (await once(request, 'response')) as [IncomingMessage];
  request.on('error', () => {}); // The reply has it too.
  await once(reply, 'readable');
  return reply;
}

test('a hop that dies in the middle of a file and comes back: which one, and the file goes on', async (t) => {
  const root = tempFolder(t);
  const bytes = randomFile(root, 'file', 64 * MIB);
  const [relay, middle, origin] = await Promise.all([
    testNode(t),
    RestartableNode.start(t, tempFolder(t)),
    testNode(t, { root }),
  ]);
  const route: readonly HostHop[] = [relay.hop, middle.hop, origin.hop];
  const gateway = await testGateway(t, { route, path: '/file' });
  const reply = await begun(gateway.url);
  await middle.kill();
  const rest = reply.toArray() as Promise<Buffer[]>;

  const { error } = await gateway.event('broken');
  assert.deepEqual([error.code, error.hopNumber, error.hopAddress], ['REFUSED', 2, formatHop(middle.hop)]);
  const page = await ask(gateway.url, { headers: { Accept: 'text/html' } });
  assert.deepEqual([page.status, page.headers['retry-after']], [502, '3']);
  assert.match(page.body.toString(), /Hop 2 \(127\.0\.0\.1:\d+\) refused the connection\./);
  assert.match(page.body.toString(), /<meta http-equiv="refresh"/);
  const status = await ask(gateway.statusUrl);
  assert.match(status.body.toString(), /The route does not work: hop 2 [^<]+ refused the connection/);
  assert.match(status.body.toString(), /<td>down<\/td>/);

  await middle.start();
  await gateway.event('working');
  assert.ok(Buffer.concat(await rest).equals(bytes));
  const complete = await gateway.event('complete');
  assert.deepEqual([complete.id, complete.bytes], [1, bytes.length]);
  assert.equal((await ask(gateway.url, { headers: { Range: 'bytes=0-9' } })).status, 206);
});

test('a route that does not come back in time breaks the reply', async (t) => {
  const root = tempFolder(t);
  randomFile(root, 'file', 64 * MIB);
  const origin = await RestartableNode.start(t, root);
  const gateway = await testGateway(t, { route: [origin.hop], path: '/file' }, { retryTimeMs: 500 });
  const reply = await begun(gateway.url);
  await origin.kill();
  await assert.rejects(reply.toArray(), { code: 'ECONNRESET' });
  const { error } = await gateway.event('failed');
  assert.deepEqual([error.code, error.hopNumber], ['REFUSED', 1]);
});

test('a client that leaves ends what is fetched for it', async (t) => {
  const root = tempFolder(t);
  randomFile(root, 'file', 64 * MIB);
  const origin = await testNode(t, { root });
  const gateway = await testGateway(t, { route: [origin.hop], path: '/file' });
  const reply = await begun(gateway.url);
  reply.destroy();
  await origin.event('failed');
  assert.ok(
    gateway.events.every(({ type }) => type === 'reply'),
    'it is no failure',
  );
});
