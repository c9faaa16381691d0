import assert from 'node:assert/strict';
import { type TestContext, describe, test } from 'node:test';
import { type HostHop, type NodeOptions, formatHop } from 'viaduct';
import { request } from '#src/client/http/request.js';
import { choosePump } from '#src/pump/choose-pump.js';
import { refusingHop } from '../support/black-hole.js';
import { failureOf } from '../support/failures.js';
import { fetchBytes } from '../support/fetch.js';
import { parseReply, requestOf } from '../support/http.js';
import { testNode } from '../support/nodes.js';
import { connectProxy, proxyAt, scriptedProxy } from '../support/proxies.js';
import { exchange, lonelyServer } from '../support/raw.js';
import { randomFile, tempFolder } from '../support/temp.js';
import { WIRES } from '../support/wires.js';

const NAMELESS = 'the proxy of the relay before it';

/** A hop that no test reaches. */
const NEXT: HostHop = { host: '127.0.0.1', port: 50_000 };

/** A relay, and what an HTTP client gets from it that wants to go further. */
async function answerOf(t: TestContext, options: Partial<NodeOptions>) {
  const node = await testNode(t, options);
  const { bytes } = await exchange(t, node.hop, requestOf([node.hop, NEXT], '/x'));
  return { node, status: parseReply(bytes).status, text: bytes.toString('latin1') };
}

describe('a relay with --proxy', () => {
  test('dials next hops over it, on all wires, with addresses that it looked up', async (t) => {
    const root = tempFolder(t);
    const file = randomFile(root, 'file', 100_000);
    const origin = await testNode(t, { root });
    const proxy = await connectProxy(t);
    const relay = await testNode(t, { proxy: proxyAt(proxy.hop) });
    const named: HostHop = { host: 'localhost', port: origin.hop.port };
    const route = [relay.hop, named];
    assert.deepEqual(await fetchBytes('file', route), file);
    for (const wire of WIRES) {
      const reply = await request({ route, path: '/file' }, wire.options);
      assert.deepEqual(await reply.bytes(200_000, 10_000), file);
    }
    assert.ok(proxy.targets.length >= 3);
    for (const target of proxy.targets) assert.match(target, /^(?:127\.0\.0\.1|\[::1\]):\d+$/);
  });

  for (const scheme of ['http', 'socks5h', 'socks5'] as const)
    test(`asks its policy before the proxy (${scheme}): a hop that is prohibited is never asked for`, async (t) => {
      const target = await lonelyServer(t);
      const proxy = await scriptedProxy(t, []);
      const relay = await testNode(t, { clients: 'public', proxy: proxyAt(proxy.hop, scheme) });
      for (const [index, host] of ['127.0.0.1', 'localhost', '169.254.169.254'].entries()) {
        const { how } = await exchange(t, relay.hop, `file\n${host} ${target.hop.port}\n\n`);
        assert.equal(how, 'reset');
        assert.equal((await relay.event('failed', index)).error.code, 'PROHIBITED');
      }
      assert.equal(proxy.connections(), 0);
      await target.assertNotDialled();
    });

  test('moves large flows over it outside of Node, as all others', async (t) => {
    if (choosePump(undefined, () => {}).name !== 'splice') return t.skip('the splice pump is not available');
    const root = tempFolder(t);
    const file = randomFile(root, 'file', 8_000_000);
    const origin = await testNode(t, { root });
    const proxy = await connectProxy(t);
    const relay = await testNode(t, { proxy: proxyAt(proxy.hop), stages: true });
    const isOffloaded = (): boolean =>
      relay.events.some((event) => event.type === 'stage' && event.stage === 'offloaded');
    // The worker starts with the first large flow.
    do assert.deepEqual(await fetchBytes('file', [relay.hop, origin.hop]), file);
    while (!isOffloaded());
  });

  test('does not read the environment', async (t) => {
    const root = tempFolder(t);
    const file = randomFile(root, 'file', 100);
    const origin = await testNode(t, { root });
    const relay = await testNode(t);
    process.env['HTTPS_PROXY'] = `http://${formatHop(await refusingHop(t))}`;
    t.after(() => delete process.env['HTTPS_PROXY']);
    assert.deepEqual(await fetchBytes('file', [relay.hop, origin.hop]), file);
  });

  test('answers 502 and proxy_configuration_error if the proxy refuses, and does not show its address', async (t) => {
    const proxy = await connectProxy(t, { answer: () => '403 Forbidden' });
    const { node, status, text } = await answerOf(t, { proxy: proxyAt(proxy.hop) });
    assert.equal(status, 502);
    assert.match(text, /error=proxy_configuration_error/);
    const { error } = await node.event('failed');
    assert.equal(error.code, 'PROXY_ERROR');
    assert.equal(error.message, `hop 2 (127.0.0.1:50000): ${NAMELESS} answered 403 (Forbidden)`);
    assert.doesNotMatch(text, new RegExp(String(proxy.hop.port)));
    const remote = await failureOf(request({ route: [node.hop, NEXT], path: '/x' }, { plain: true }));
    assert.deepEqual([remote.code, remote.hopNumber], ['PROXY_ERROR', 2]);
  });

  test('answers 504 and connection_timeout if the proxy is silent', async (t) => {
    const proxy = await scriptedProxy(t, []);
    const { status, text } = await answerOf(t, { proxy: proxyAt(proxy.hop), connectTimeoutMs: 100 });
    assert.equal(status, 504);
    assert.match(text, /error=connection_timeout/);
  });

  test('answers connection_refused if a SOCKS proxy reports that the hop refuses', async (t) => {
    const proxy = await scriptedProxy(t, ['\x05\x00', '\x05\x05\x00\x01\0\0\0\0\0\0']);
    const { status, text } = await answerOf(t, { proxy: proxyAt(proxy.hop, 'socks5h') });
    assert.equal(status, 502);
    assert.match(text, /error=connection_refused/);
  });
});
