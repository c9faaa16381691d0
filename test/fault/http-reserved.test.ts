import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import type { HostHop } from 'viaduct';
import { messageOf } from '../support/fetch.js';
import { parseReply, problemOf, proxyStatusOf, requestOf } from '../support/http.js';
import { watchDescriptors } from '../support/leaks.js';
import { testChain, testNode } from '../support/nodes.js';
import { exchange, lonelyServer } from '../support/raw.js';
import { tempFolder } from '../support/temp.js';

async function ask(t: TestContext, route: readonly HostHop[], path: string, fields: readonly string[] = []) {
  const [first] = route;
  assert.ok(first);
  return parseReply(
    (await exchange(t, first, requestOf(route, path, ['Connection: close', ...fields]))).bytes,
  );
}

describe('a tree with a .viaduct of its own', () => {
  const SECRET = 'from the tree';
  function tree(t: TestContext): string {
    const root = tempFolder(t);
    mkdirSync(join(root, '.viaduct', 'folder'), { recursive: true });
    for (const name of ['status', 'file', 'folder/file']) writeFileSync(join(root, '.viaduct', name), SECRET);
    symlinkSync('.viaduct', join(root, 'link'));
    symlinkSync('.viaduct/file', join(root, 'link-to-file'));
    mkdirSync(join(root, 'deep', '.viaduct'), { recursive: true });
    writeFileSync(join(root, 'deep', '.viaduct', 'file'), 'ordinary');
    return root;
  }

  const paths = ['file', 'folder/', 'folder/file', 'status', '', '/file'].flatMap((rest) =>
    ['.viaduct/', '%2eviaduct/', '/.viaduct/', './.viaduct/', 'deep/../.viaduct/', 'link/'].map(
      (start) => start + rest,
    ),
  );

  for (const dotfiles of [false, true]) {
    test(`shows nothing of it, on both wires, ${dotfiles ? 'with' : 'without'} --dotfiles`, async (t) => {
      const node = await testNode(t, { root: tree(t), dotfiles });
      const relay = await testNode(t);
      for (const path of [...paths, '.viaduct', 'link', 'link-to-file', 'link-to-file?q']) {
        for (const route of [[node.hop], [relay.hop, node.hop]]) {
          const { status, body } = await ask(t, route, `/${path}`);
          assert.ok(!body.includes(SECRET), path);
          assert.ok(
            status !== 200 || body.includes('"program":"viaduct"'),
            `${status} ${path}: ${body.toString()}`,
          );
        }
        const { bytes } = await exchange(t, node.hop, messageOf(decodeURIComponent(path), []));
        assert.equal(bytes.length, 0, path);
      }
      const { body } = await ask(t, [node.hop], '/');
      assert.ok(
        body.includes('deep/') && !body.includes('.viaduct') && !/[>"]link["\-<]/.test(body.toString()),
      );
      const below = await ask(t, [node.hop], '/deep/.viaduct/file');
      assert.equal(below.status, dotfiles ? 200 : 403);
    });
  }
});

test('the status of each hop, behind a route, tells what the node does and no secrets', async (t) => {
  const root = tempFolder(t);
  const { route } = await testChain(t, 3, { root, clients: 'observed' });
  for (const hops of [1, 2, 3]) {
    const { status, fields, body } = await ask(t, route.slice(0, hops), '/.viaduct/status');
    assert.deepEqual([status, fields.get('content-type')], [200, 'application/json']);
    const shown = JSON.parse(body.toString()) as Record<string, unknown>;
    assert.deepEqual([shown['program'], shown['client']], ['viaduct', 'loopback']);
    assert.equal(shown['relays'], 'never further inward than the client');
    assert.ok(!body.includes(root) && !body.includes('127.0.0.1'));
  }
});

describe('a route of more than 16 hops', () => {
  test('is refused by the first node, and 16 are not', async (t) => {
    const root = tempFolder(t);
    const node = await testNode(t, { root });
    const { hop, assertNotDialled } = await lonelyServer(t);
    const nothingOpen = watchDescriptors();
    for (const left of [16, 17, 100]) {
      const reply = await ask(t, [node.hop, ...Array.from({ length: left }, () => hop)], '/file');
      assert.equal(reply.status, 400);
      assert.equal(proxyStatusOf(reply)?.['error'], 'proxy_loop_detected');
      const { code, hop: number } = problemOf(reply);
      assert.deepEqual([code, number], ['TOO_MANY_HOPS', 1]);
    }
    const whole = await ask(
      t,
      Array.from({ length: 16 }, () => node.hop),
      '/.viaduct/status',
    );
    assert.equal(whole.status, 200);
    await nothingOpen();
    await assertNotDialled();
  });

  test('counts the hops that a request has passed', async (t) => {
    const node = await testNode(t);
    for (const [passed, left, status] of [
      [15, 0, 200],
      [16, 0, 400],
      [10, 5, 200],
      [10, 6, 400],
      [40, 0, 400],
    ] as const) {
      const via = Array.from({ length: passed }, () => '1.1 viaduct').join(', ');
      const route = Array.from({ length: left + 1 }, () => node.hop);
      // As entries of one field and as fields of their own, among those of other proxies.
      for (const fields of [[`Via: 1.0 fred, ${via}`], via.split(', ').map((entry) => `Via: ${entry}`)]) {
        const reply = await ask(t, route, '/.viaduct/status', fields);
        assert.equal(reply.status, status, `${passed} passed, ${left} left`);
        if (status === 400) assert.equal(proxyStatusOf(reply)?.['error'], 'proxy_loop_detected');
        if (status === 400) assert.equal(problemOf(reply).hop, passed + 1);
      }
    }
  });
});
