import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type HostHop, formatHop } from 'viaduct';
import { type Fault, faultProxy } from '../support/fault-proxy.js';
import { isWhole, parseReply, problemOf, proxyStatusOf, requestOf } from '../support/http.js';
import { watchDescriptors } from '../support/leaks.js';
import { testChain, testNode } from '../support/nodes.js';
import { exchange } from '../support/raw.js';
import { randomFile, tempFolder } from '../support/temp.js';

const PLACES = [2, 3, 4, 5];
/** More than a head may have, so that one without end is noticed before FIN. */
const SIZE = 20_000;

async function ask(t: TestContext, route: readonly HostHop[]) {
  const [first] = route;
  assert.ok(first);
  return exchange(t, first, requestOf(route, '/file'));
}

for (const place of PLACES) {
  for (const [what, fault] of Object.entries<Fault>({
    'a reset at the head': { kind: 'reset', at: 0 },
    'FIN at the head': { kind: 'cut', at: 0 },
    'a reset in the head': { kind: 'reset', at: 50 },
    'FIN in the head': { kind: 'cut', at: 50 },
    'a reset in the request': { kind: 'reset', at: 50, direction: 'up' },
    'FIN in the request': { kind: 'cut', at: 50, direction: 'up' },
  })) {
    test(`${what} on the line to hop ${place}: the relay before tells which hop it was`, async (t) => {
      const root = tempFolder(t);
      randomFile(root, 'file', SIZE);
      const { nodes, route: healthy } = await testChain(t, 5, { root });
      const target = healthy[place - 1];
      assert.ok(target);
      const { hop } = await faultProxy(t, target, fault);
      const nothingOpen = watchDescriptors();
      const { bytes, how } = await ask(t, healthy.with(place - 1, hop));
      assert.equal(how, 'end');
      const reply = parseReply(bytes);
      assert.ok(isWhole(reply));
      assert.equal(reply.status, 502);
      const { error, hop: named } = proxyStatusOf(reply) ?? {};
      assert.deepEqual([error, named], ['connection_terminated', formatHop(hop)]);
      assert.equal(problemOf(reply).hop, place);
      assert.equal((await nodes[place - 2]?.event('failed'))?.error.hopAddress, formatHop(hop));
      await nothingOpen();
    });
  }
}

test('a bad byte at each place of the head of a reply: refused or passed, never a whole reply of other bytes', async (t) => {
  const root = tempFolder(t);
  const file = randomFile(root, 'file', SIZE);
  const origin = await testNode(t, { root });
  const length = (await ask(t, [origin.hop])).bytes.length - SIZE;
  const proxy = await faultProxy(t, origin.hop, (n) => ({ kind: 'corrupt', at: n }));
  const relay = await testNode(t);
  const route = [relay.hop, proxy.hop];
  const nothingOpen = watchDescriptors();
  for (let at = 0; at < length; at += 1) {
    const { bytes, how } = await ask(t, route);
    const reply = parseReply(bytes);
    if (reply.status === 200) {
      assert.ok(!isWhole(reply) || reply.body.equals(file), `a bad byte at ${at}`);
      continue;
    }
    assert.equal(how, 'end', `a bad byte at ${at}`);
    assert.equal(reply.status, 502, `a bad byte at ${at}`);
    const { hop, address } = problemOf(reply);
    assert.deepEqual([hop, address], [2, formatHop(proxy.hop)]);
  }
  await nothingOpen();
});

test('a bad byte at each place of the head of a request never gets the file', async (t) => {
  const root = tempFolder(t);
  const file = randomFile(root, 'file', SIZE);
  const origin = await testNode(t, { root, timeoutMs: 200 });
  const proxy = await faultProxy(t, origin.hop, (n) => ({ kind: 'corrupt', at: n, direction: 'up' }));
  const relay = await testNode(t);
  const route = [relay.hop, proxy.hop];
  const nothingOpen = watchDescriptors();
  const { length } = 'GET /file HTTP/1.1\r\n';
  for (let at = 0; at < length; at += 1) {
    const { bytes, how } = await ask(t, route);
    const reply = parseReply(bytes);
    assert.equal(how, 'end', `a bad byte at ${at}`);
    assert.notEqual(reply.status, 200, `a bad byte at ${at}`);
    assert.ok(isWhole(reply) && !reply.body.equals(file), `a bad byte at ${at}`);
  }
  await nothingOpen();
});
