import assert from 'node:assert/strict';
import dns from 'node:dns/promises';
import { writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { connect } from 'node:tls';
import { type NodeOptions, formatHop, get, listFolder, traceRoute } from 'viaduct';
import { TRUSTED } from '../support/identity.js';
import { testNode } from '../support/nodes.js';
import { lonelyServer, rawConnect, readToEnd } from '../support/raw.js';
import { tempFolder } from '../support/temp.js';
import { ask, headOf } from '../support/wire-replies.js';

const FOREIGN = 'Host: rebound.example:12000';

/** A relay with these options, an origin behind it, and the paths of the same file at both. */
async function prepare(t: TestContext, options: Partial<NodeOptions> = {}) {
  const root = tempFolder(t);
  writeFileSync(join(root, 'file'), 'content');
  const [relay, origin] = await Promise.all([testNode(t, { root, ...options }), testNode(t, { root })]);
  return {
    relay: relay.hop,
    paths: ['/file', `/@${formatHop(origin.hop)}/file`],
    origin: origin.hop,
    events: relay.events,
  };
}

const request = (path: string, ...fields: readonly string[]): string =>
  headOf(`GET ${path} HTTP/1.1`, [...fields, 'Connection: close']);

describe('a request under a foreign host name gets 421', () => {
  test('with one line that says what to do, as file, folder, status, and over a route', async (t) => {
    const { relay, paths, events } = await prepare(t);
    const lonely = await lonelyServer(t);
    for (const path of [
      ...paths,
      '/',
      '/favicon.ico',
      '/.viaduct/status',
      '/@h:1',
      `/@${formatHop(lonely.hop)}/`,
    ]) {
      const reply = await ask(t, relay, request(path, FOREIGN, 'Accept: text/plain'));
      assert.equal(reply.status, 421, path);
      assert.equal(
        reply.body.toString(),
        'hop 1: the host name "rebound.example:12000" is not one of this node\'s, so that a web page may be behind it (DNS rebinding); if it is, start the node with --host-name rebound.example\n',
      );
      assert.equal(reply.fields['proxy-status'], undefined);
      assert.equal(reply.fields['connection'], 'close');
    }
    assert.ok(events.every((event) => event.type !== 'serving' && event.type !== 'relaying'));
    await lonely.assertNotDialled();
  });

  test('whatever else it has that a script can send', async (t) => {
    const { relay, paths } = await prepare(t);
    for (const field of [
      'Viaduct-Client: loopback',
      'Via: 1.1 squid',
      'Via: 1.1 viaduct.example',
      'X-Forwarded-Host: localhost',
      'Upgrade: websocket',
      'Accept: application/json',
    ]) {
      for (const path of paths)
        assert.equal((await ask(t, relay, request(path, FOREIGN, field))).status, 421, field);
    }
    for (const target of ['http://rebound.example/file', 'HTTPS://localhost@rebound.example:1/file'])
      assert.equal((await ask(t, relay, request(target, 'Host: localhost'))).status, 421, target);
  });

  test('in HTTP/1.0, with HEAD, and in TLS', async (t) => {
    const { relay } = await prepare(t);
    assert.equal((await ask(t, relay, headOf('GET /file HTTP/1.0', [FOREIGN]))).status, 421);
    assert.equal((await ask(t, relay, headOf('GET /file HTTP/1.0', []))).status, 200);
    const head = await ask(t, relay, headOf('HEAD /file HTTP/1.1', [FOREIGN, 'Connection: close']));
    assert.match(head.fields['viaduct-error'] ?? '', /^WRONG_HOST;hop=1;/);
    const tls = connect({ socket: await rawConnect(t, relay), rejectUnauthorized: false });
    tls.write(request('/file', FOREIGN));
    assert.match((await readToEnd(tls)).bytes.toString(), /^HTTP\/1\.1 421 /);
  });
});

test('--host-name allows a name, served and relayed', async (t) => {
  for (const hostNames of [['rebound.example'], ['a.example', '*.example'], ['*']]) {
    const { relay, paths } = await prepare(t, { hostNames });
    for (const path of paths) assert.equal((await ask(t, relay, request(path, FOREIGN))).status, 200);
  }
  const { relay } = await prepare(t, { hostNames: ['*.rebound.example'] });
  assert.equal((await ask(t, relay, request('/file', FOREIGN))).status, 421);
});

describe('a request that no page can have made passes under any name', () => {
  test('from a relay that dials the node by a name of its own', async (t) => {
    const { relay, paths } = await prepare(t);
    for (const path of paths)
      assert.equal((await ask(t, relay, request(path, FOREIGN, 'Via: 1.1 viaduct'))).status, 200);
  });

  test('from get, ls and trace, encrypted or not, directly and over relays', async (t) => {
    resolveAll(t);
    const { relay, origin } = await prepare(t);
    const [first, second] = [relay, origin].map(({ port }, index) => ({
      host: `h${index}.example.org`,
      port,
    }));
    assert.ok(first && second);
    for (const route of [[first], [first, second], [first, second, first]]) {
      for (const options of [{ plain: true }, TRUSTED]) {
        await get({ route, path: '/file' }, join(tempFolder(t), 'file'), options);
        assert.equal((await listFolder({ route, path: '/' }, options)).length, 1);
        const hops = await traceRoute(route, { ...options, probes: 1 });
        assert.deepEqual(
          hops.map(({ state }) => state),
          route.map(() => 'up'),
        );
      }
    }
  });
});

/** All names lead to this machine, as DNS would have it, until the test ends. */
function resolveAll(t: TestContext): void {
  t.mock.method(dns, 'lookup', async () => [{ address: '127.0.0.1', family: 4 }]);
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
}
