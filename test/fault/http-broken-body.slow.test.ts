import assert from 'node:assert/strict';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type HostHop, formatHop } from 'viaduct';
import { type Fault, faultProxy } from '../support/fault-proxy.js';
import { curl, isWhole, parseReply, requestOf, urlOf } from '../support/http.js';
import { watchDescriptors } from '../support/leaks.js';
import { type TestNode, testChain, testNode } from '../support/nodes.js';
import { havePeer } from '../support/peers.js';
import { exchange } from '../support/raw.js';
import { randomFile, tempFolder } from '../support/temp.js';

/** Four relays and the origin; the fault is in front of one of hops 2 to 5. */
const HOPS = 5;
const PLACES = [2, 3, 4, 5];
const SIZE = 3_000_000;
/** Beyond any head. */
const IN_BODY = 1_000_000;
const LONG_MS = 600_000;
const SHORT_MS = 300;

/** The route with a faulty line to hop `place`. */
async function faultyRoute(t: TestContext, route: readonly HostHop[], place: number, fault: Fault) {
  const target = route[place - 1];
  assert.ok(target);
  const proxy = await faultProxy(t, target, fault);
  return { route: route.with(place - 1, proxy.hop), hop: proxy.hop };
}

function filled(t: TestContext): { root: string; file: Buffer } {
  const root = tempFolder(t);
  return { root, file: randomFile(root, 'file', SIZE) };
}

/** What a relay says of the hop after it, once it does. */
async function blame(node: TestNode | undefined, hop: HostHop) {
  assert.ok(node);
  const { error, bytes } = await node.event('failed');
  assert.equal(error.hopAddress, formatHop(hop));
  return { code: error.code, message: error.message, bytes };
}

for (const place of PLACES) {
  test(`a reset on the line to hop ${place} in mid-body reaches the client, and the relay before names it`, async (t) => {
    if (!havePeer(t, 'curl')) return;
    const { root, file } = filled(t);
    // No origin can be done with it before the reset.
    truncateSync(join(root, 'file'), 2 ** 30);
    const { nodes, route: healthy } = await testChain(t, HOPS, { root });
    const { route, hop } = await faultyRoute(t, healthy, place, { kind: 'reset', at: IN_BODY });
    const nothingOpen = watchDescriptors();
    const { code, stderr, reply } = await curl(t, urlOf(route, '/file'));
    assert.equal(code, 56, stderr);
    assert.equal(reply?.status, 200);
    assert.ok(reply.body.length < IN_BODY);
    assert.ok(file.subarray(0, reply.body.length).equals(reply.body));
    const { message, bytes, ...blamed } = await blame(nodes[place - 2], hop);
    assert.equal(blamed.code, 'CUT_SHORT');
    assert.match(
      message,
      new RegExp(`^hop ${place} \\(${formatHop(hop)}\\) reset the connection after ${bytes} of \\d+ bytes$`),
    );
    for (const [index, node] of nodes.slice(0, place - 2).entries()) {
      const next = route[index + 1];
      assert.ok(next);
      assert.equal((await blame(node, next)).code, 'CUT_SHORT');
    }
    for (const node of nodes.slice(place - 1))
      assert.equal((await node.event('failed')).error.code, 'CLIENT_GONE');
    await nothingOpen();
  });

  test(`FIN on the line to hop ${place} in mid-body: the client knows that bytes are missing, and the relay before who sent it`, async (t) => {
    if (!havePeer(t, 'curl')) return;
    const { root } = filled(t);
    const { nodes, route: healthy } = await testChain(t, HOPS, { root });
    const { route, hop } = await faultyRoute(t, healthy, place, { kind: 'cut', at: IN_BODY });
    const nothingOpen = watchDescriptors();
    const { code, stderr, reply } = await curl(t, urlOf(route, '/file'));
    assert.ok(code === 18 || code === 56, `${code}: ${stderr}`);
    assert.ok(reply && !isWhole(reply));
    const { message, bytes, code: blamed } = await blame(nodes[place - 2], hop);
    assert.equal(blamed, 'CUT_SHORT');
    const label = `hop ${place} (${formatHop(hop)})`;
    assert.ok(message.startsWith(`${label} closed the connection after ${bytes} of 300`), message);
    await nothingOpen();
  });

  test(`a line to hop ${place} that stalls in mid-body is cut, and the relay before names it`, async (t) => {
    if (!havePeer(t, 'curl')) return;
    const { root } = filled(t);
    const nodes = await Promise.all(
      Array.from({ length: HOPS }, (_, index) =>
        testNode(t, { root, timeoutMs: index === place - 2 ? SHORT_MS : LONG_MS }),
      ),
    );
    const healthy = nodes.map((node) => node.hop);
    const { route, hop } = await faultyRoute(t, healthy, place, { kind: 'stall', at: IN_BODY });
    const nothingOpen = watchDescriptors();
    const { code, stderr, reply } = await curl(t, urlOf(route, '/file'));
    assert.equal(code, 56, stderr);
    assert.ok(reply && !isWhole(reply));
    const { code: blamed, message } = await blame(nodes[place - 2], hop);
    assert.equal(blamed, 'TIMEOUT');
    assert.equal(message, `hop ${place} (${formatHop(hop)}) sent nothing for 0.3 s`);
    await nothingOpen();
  });

  test(`a byte that goes bad on the line to hop ${place} passes: relays are blind`, async (t) => {
    const { root, file } = filled(t);
    const { route: healthy } = await testChain(t, HOPS, { root });
    const { route } = await faultyRoute(t, healthy, place, { kind: 'corrupt', at: IN_BODY });
    const [first] = route;
    assert.ok(first);
    const { bytes, how } = await exchange(t, first, requestOf(route, '/file'));
    const { body } = parseReply(bytes);
    assert.equal(how, 'end');
    assert.equal(body.length, SIZE);
    const wrong = [...body.keys()].filter((at) => body[at] !== file[at]);
    assert.equal(wrong.length, 1);
  });
}

test('a listing that is cut, anywhere up to its last byte, is never whole', async (t) => {
  const root = tempFolder(t);
  for (let index = 0; index < 700; index += 1) writeFileSync(join(root, `file-${index}`), '');
  const { nodes, route: healthy } = await testChain(t, HOPS, { root });
  const origin = nodes.at(-1)?.hop;
  assert.ok(origin);
  const { length } = (await exchange(t, origin, requestOf([origin], '/'))).bytes;
  const places = [...Array.from({ length: 12 }, (_, index) => length - 1 - index), length >> 1, length >> 2];
  for (const kind of ['cut', 'reset'] as const) {
    const proxy = await faultProxy(t, origin, (n) => ({ kind, at: places[n] ?? Infinity }));
    const route = [...healthy.slice(0, -1), proxy.hop];
    const [first] = route;
    assert.ok(first);
    const nothingOpen = watchDescriptors();
    for (const place of places) {
      const { bytes, how } = await exchange(t, first, requestOf(route, '/'));
      const reply = parseReply(bytes);
      assert.equal(reply.fields.get('transfer-encoding'), 'chunked');
      assert.ok(how === 'reset' || !isWhole(reply), `${kind} at ${place} of ${length}: a whole listing`);
    }
    const { bytes, how } = await exchange(t, first, requestOf(route, '/'));
    assert.ok(how === 'end' && isWhole(parseReply(bytes)), 'uncut it is whole');
    await nothingOpen();
  }
});
