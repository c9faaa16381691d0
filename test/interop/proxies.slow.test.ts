import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { type HostHop, formatHop, formatInput } from 'viaduct';
import { refusingHop } from '../support/black-hole.js';
import { urlOf } from '../support/http.js';
import { PINNED } from '../support/identity.js';
import { testChain, testNode } from '../support/nodes.js';
import { havePeer } from '../support/peers.js';
import { runViaduct } from '../support/processes.js';
import { runInProcess } from '../support/program.js';
import { proxyAt, proxyUrl } from '../support/proxies.js';
import { LOGIN, PROXY_PROGRAMS, startProxy } from '../support/proxy-programs.js';
import { randomFile, tempFolder } from '../support/temp.js';

/** A relay and an origin with a file of 100,000 bytes, and the name of the first hop. */
async function chain(t: TestContext): Promise<{ readonly route: readonly HostHop[]; readonly file: Buffer }> {
  const root = tempFolder(t);
  const file = randomFile(root, 'file', 100_000);
  const { route } = await testChain(t, 2, { root });
  return { route: route.map(({ port }) => ({ host: 'localhost', port })), file };
}

/** Runs `get` of one file over a proxy. */
async function getOver(t: TestContext, proxy: string, route: readonly HostHop[]) {
  const folder = tempFolder(t);
  const args = ['get', '-q', ...PINNED, '--proxy', proxy, '-o', join(folder, 'copy'), urlOf(route, '/file')];
  return { ...(await runInProcess(args)), copy: () => readFileSync(join(folder, 'copy')) };
}

for (const each of PROXY_PROGRAMS) {
  const { program, scheme, can } = each;
  describe(program, () => {
    test('get, ls, trace and client', async (t) => {
      if (!havePeer(t, program)) return;
      const { route, file } = await chain(t);
      const proxy = proxyUrl(scheme, (await startProxy(t, each)).hop);
      const got = await getOver(t, proxy, route);
      assert.deepEqual([got.code, got.stderr], [0, '']);
      assert.deepEqual(got.copy(), file);
      const ls = await runInProcess(['ls', ...PINNED, '--proxy', proxy, urlOf(route, '/')]);
      assert.deepEqual([ls.stdout, ls.stderr], ['file\n', '']);
      const trace = await runInProcess(['trace', '--proxy', proxy, '--json', urlOf(route, '/')]);
      assert.equal(trace.stdout.match(/"state":"up"/g)?.length, 2, trace.stdout + trace.stderr);
      const folder = tempFolder(t);
      writeFileSync(join(folder, 'input.txt'), formatInput({ name: 'file', route }));
      const client = await runInProcess(['client', '--proxy', proxy, 'input.txt'], { cwd: folder });
      assert.equal(client.code, 0, client.stderr);
      assert.deepEqual(readFileSync(join(folder, 'file')), file);
    });

    test('the environment, and NO_PROXY', async (t) => {
      if (!havePeer(t, program)) return;
      const { route } = await chain(t);
      const { hop, end } = await startProxy(t, each);
      const ls = (env: NodeJS.ProcessEnv) =>
        runViaduct(t, ['ls', ...PINNED, urlOf(route, '/')], { env: { ...process.env, ...env } });
      const over = await ls({ ALL_PROXY: proxyUrl(scheme, hop) });
      assert.deepEqual([over.stdout, over.stderr], ['file\n', '']);
      await end();
      const down = await ls({ all_proxy: proxyUrl(scheme, hop) });
      assert.equal(down.code, 97);
      assert.match(
        down.stderr,
        new RegExp(`: the proxy ${proxyUrl(scheme, hop)} refused the connection \\(check`),
      );
      const direct = await ls({ ALL_PROXY: proxyUrl(scheme, hop), NO_PROXY: 'localhost' });
      assert.deepEqual([direct.stdout, direct.stderr], ['file\n', '']);
    });

    test('a hop that refuses', async (t) => {
      if (!havePeer(t, program)) return;
      const proxy = proxyUrl(scheme, (await startProxy(t, each)).hop);
      const hop = await refusingHop(t);
      const { code, stderr } = await getOver(t, proxy, [hop]);
      const label = `viaduct: hop 1 (${formatHop(hop)})`;
      if (scheme === 'http') {
        assert.equal(code, 97);
        assert.match(
          stderr,
          /the proxy http:\/\/127\.0\.0\.1:\d+ answered 50[03] \(.+\) \(the proxy may not reach/,
        );
      } else {
        assert.equal(code, 7);
        assert.ok(stderr.startsWith(`${label} refused the connection (over the proxy ${proxy})`), stderr);
      }
    });

    test('a relay dials over it', async (t) => {
      if (!havePeer(t, program)) return;
      const { route, file } = await chain(t);
      const { hop } = await startProxy(t, each);
      const relay = await testNode(t, { proxy: proxyAt(hop, scheme) });
      const got = await getOver(t, 'none', [relay.hop, ...route]);
      assert.deepEqual([got.code, got.stderr], [0, '']);
      assert.deepEqual(got.copy(), file);
    });

    if (can.includes('login'))
      test('user and password: right, wrong, and none', async (t) => {
        if (!havePeer(t, program)) return;
        const { route, file } = await chain(t);
        const { hop } = await startProxy(t, each, { login: true });
        const right = await getOver(t, proxyUrl(scheme, hop, `${LOGIN.user}:${LOGIN.password}`), route);
        assert.deepEqual([right.code, right.stderr], [0, '']);
        assert.deepEqual(right.copy(), file);
        const wrong = await getOver(t, proxyUrl(scheme, hop, `${LOGIN.user}:secret`), route);
        assert.equal(wrong.code, 97);
        assert.match(wrong.stderr, /(?:it )?does not accept this user and password \(check both/);
        assert.doesNotMatch(wrong.stderr, /secret|anna/);
        const none = await getOver(t, proxyUrl(scheme, hop), route);
        assert.equal(none.code, 97);
        assert.match(none.stderr, /(?:wants a login|answered 407 .*) \(give user and password, as in /);
      });

    if (can.includes('refuses'))
      test('it does not allow the connection', async (t) => {
        if (!havePeer(t, program)) return;
        const hop: HostHop = { host: '127.0.0.1', port: 50_000 };
        const proxy = proxyUrl(scheme, (await startProxy(t, each, { refuses: true })).hop);
        const { code, stderr } = await getOver(t, proxy, [hop]);
        assert.equal(code, 97);
        assert.match(
          stderr,
          /(?:answered 403 \(.+\)|does not allow this connection) \(the proxy may allow only/,
        );
      });
  });
}
