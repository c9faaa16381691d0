import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { HostHop } from 'viaduct';
import { type Fault, faultProxy } from '../support/fault-proxy.js';
import { isWhole, parseReply, requestOf } from '../support/http.js';
import { watchDescriptors } from '../support/leaks.js';
import { testChain, testNode } from '../support/nodes.js';
import { exchange } from '../support/raw.js';
import { randomFile, tempFolder } from '../support/temp.js';

/** A line that harms segments, not bytes, both ways, in front of a hop. */
async function line(t: TestContext, target: HostHop, fault: Fault): Promise<HostHop> {
  const up = await faultProxy(t, target, { ...fault, direction: 'up' });
  const { hop } = await faultProxy(t, up.hop, { ...fault, direction: 'down' });
  return hop;
}

async function ask(t: TestContext, route: readonly HostHop[], path: string) {
  const [first] = route;
  assert.ok(first);
  const { bytes, how } = await exchange(t, first, requestOf(route, path));
  assert.equal(how, 'end');
  const reply = parseReply(bytes);
  assert.ok(isWhole(reply));
  return reply;
}

/** Names of a listing, whatever its chunks. */
function namesIn(body: Buffer): string[] {
  return [...body.toString().matchAll(/href="\.\/([^"]+)"/g)].map(([, name = '']) => name);
}

for (const [what, fault] of Object.entries<Fault>({
  'one byte at a time': { kind: 'slice', size: 1 },
  'in segments of 7 bytes': { kind: 'slice', size: 7 },
  slowly: { kind: 'slow', size: 300, everyMs: 1 },
})) {
  test(`${what} on every line of five hops: a file, a listing and an error are what they are`, async (t) => {
    const root = tempFolder(t);
    const file = randomFile(root, 'file', 2000);
    for (let index = 0; index < 5; index += 1) writeFileSync(join(root, `f${index}`), '');
    const { route: healthy } = await testChain(t, 5, { root });
    const route = await Promise.all(healthy.map((hop) => line(t, hop, fault)));
    const nothingOpen = watchDescriptors();
    const [whole, listing, error] = await Promise.all(
      ['/file', '/', '/none'].map((path) => ask(t, route, path)),
    );
    assert.ok(whole?.body.equals(file));
    assert.ok(listing);
    assert.deepEqual(namesIn(listing.body), ['f0', 'f1', 'f2', 'f3', 'f4', 'file']);
    assert.equal(error?.status, 404);
    await nothingOpen();
  });
}

test('merged on every line, head and body and FIN at once: a large file, a listing and an error', async (t) => {
  const root = tempFolder(t);
  const file = randomFile(root, 'file', 1_000_000);
  const { route: healthy } = await testChain(t, 5, { root });
  const merge: Fault = { kind: 'merge', size: Infinity };
  const proxies = await Promise.all(healthy.map((hop) => faultProxy(t, hop, merge)));
  const route = proxies.map(({ hop }) => hop);
  const nothingOpen = watchDescriptors();
  const [whole, listing, error] = await Promise.all(
    ['/file', '/', '/none'].map((path) => ask(t, route, path)),
  );
  assert.ok(whole?.body.equals(file));
  assert.deepEqual(namesIn(listing?.body ?? Buffer.alloc(0)), ['file']);
  assert.equal(error?.status, 404);
  await nothingOpen();
});

test('the heads of request and reply in two parts, split at each of their bytes, at relay and origin', async (t) => {
  const root = tempFolder(t);
  const file = randomFile(root, 'file', 100);
  const [relay, origin] = await Promise.all([testNode(t), testNode(t, { root })]);
  const down = await faultProxy(t, origin.hop, (n) => ({ kind: 'split', at: n }));
  const up = await faultProxy(t, down.hop, (n) => ({ kind: 'split', at: n, direction: 'up' }));
  const front = await faultProxy(t, relay.hop, (n) => ({ kind: 'split', at: n, direction: 'up' }));
  const route = [front.hop, up.hop];
  const nothingOpen = watchDescriptors();
  let length = Infinity;
  for (let at = 0; at <= length; at += 1) {
    const [first] = route;
    assert.ok(first);
    const { bytes, how } = await exchange(t, first, requestOf(route, '/file'));
    assert.equal(how, 'end', `split at ${at}`);
    // Longer than what any line carried: the client's has one entry of Via more.
    ({ length } = bytes);
    const reply = parseReply(bytes);
    assert.equal(reply.status, 200, `split at ${at}`);
    assert.ok(isWhole(reply) && reply.body.equals(file), `split at ${at}`);
  }
  await nothingOpen();
});
