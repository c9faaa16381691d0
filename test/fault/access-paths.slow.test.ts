import assert from 'node:assert/strict';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  DIALECTS,
  KEYS,
  type Readable,
  attempt,
  attemptReply,
  authorizedFile,
  readable,
  treeToRead,
  withoutDate,
} from '../support/readers.js';

// What a client with a path may read: no spelling widens it, and a refusal shows nothing of the tree.

const { alice, bob } = KEYS;

async function nodesWith(t: TestContext, path: string): Promise<Readable & { readonly root: string }> {
  const root = treeToRead(t);
  const authorized = authorizedFile(t, `${alice.pin} alice path=${path}\n${bob.pin} bob\n`);
  return { ...(await readable(t, { root, access: 'keys', authorized })), root };
}

const status = async (t: TestContext, nodes: Readable, path: string, method: 'GET' | 'HEAD' = 'GET') =>
  (await attemptReply(t, nodes, { dialect: 'HTTPS', key: alice, path, method })).status;

test('inside its path, however it is spelled', async (t) => {
  const nodes = await nodesWith(t, '/photos/');
  for (const [path, expected] of [
    ['/photos/', 200],
    ['/photos', 301],
    ['/photos/p.jpg', 200],
    ['/photos/p.jpg?x=1', 200],
    ['/photos/p.jpg#x', 200],
    ['/%70hotos/p%2Ejpg', 200],
    ['/photos//p.jpg', 200],
    ['//photos/p.jpg', 200],
    ['/./photos/./p.jpg', 200],
    ['/%2e/photos/%2E/p.jpg', 200],
    ['/photos/2024/', 200],
    ['/photos/2024/n.jpg', 200],
    ['/photos/missing.jpg', 404],
    ['/photos/p.jpg/', 404],
  ] as const)
    for (const method of ['GET', 'HEAD'] as const)
      assert.equal(await status(t, nodes, path, method), expected, `${method} ${path}`);
});

test('outside its path, however it is spelled', async (t) => {
  const nodes = await nodesWith(t, '/photos/2024');
  for (const path of [
    '/',
    '/?photos/2024/',
    '//',
    '/./',
    '/photos',
    '/photos/',
    '/photos/?/2024',
    '/photos/p.jpg',
    '/a.txt',
    '/a.txt?/photos/2024/n.jpg',
    '/a.txt#/photos/2024/',
    '/photos/2024x',
    '/photos/2024%20/n.jpg',
    '/photos/2024%00/n.jpg',
    '/photos/202',
    '/PHOTOS/2024/n.jpg',
    '/photos%5C2024/n.jpg',
    '/photos/2024/../p.jpg',
    '/photos/2024/%2e%2e/p.jpg',
    '/photos/2024/.%2E/.%2e/a.txt',
    '/photos/2024/x/../n.jpg',
    '/.photos/2024/n.jpg',
    '/.viaduct/2024',
    '/%2e%76iaduct/stat',
  ])
    for (const method of ['GET', 'HEAD'] as const)
      assert.equal(await status(t, nodes, path, method), 403, `${method} ${path}`);
  for (const path of ['/photos%2f2024/n.jpg', '/photos/2024%2Fn.jpg', '/../photos/2024/', '/photos/%/'])
    assert.equal(await status(t, nodes, path), 400, path);
  for (const { error } of nodes.origin.events.filter((event) => event.type === 'failed'))
    assert.ok(['ACCESS_DENIED', 'BAD_REQUEST'].includes(error.code), error.code);
});

test('a path may be one file', async (t) => {
  const nodes = await nodesWith(t, '/photos/p.jpg');
  assert.equal(await status(t, nodes, '/photos/p.jpg'), 200);
  for (const path of ['/photos/', '/photos/2024/n.jpg', '/photos/p.jpg2'])
    assert.equal(await status(t, nodes, path), 403, path);
});

test('a link below its path leads nowhere else, for this client, and is not listed for it', async (t) => {
  const nodes = await nodesWith(t, '/photos');
  symlinkSync('../a.txt', join(nodes.root, 'photos', 'out'));
  symlinkSync('..', join(nodes.root, 'photos', 'up'));
  symlinkSync('p.jpg', join(nodes.root, 'photos', 'in'));
  const listing = async (key: typeof alice): Promise<string> => {
    const fields = ['Accept: application/json'];
    return (
      await attemptReply(t, nodes, { dialect: 'HTTPS', key, path: '/photos/', fields })
    ).body.toString();
  };
  // At the same time, too: listings of one folder are shared by those who may see the same.
  const [theirs, hers] = await Promise.all([listing(bob), listing(alice)]);
  for (const name of ['out', 'up']) {
    assert.ok(theirs.includes(`"${name}"`), name);
    assert.ok(!hers.includes(`"${name}"`), name);
  }
  assert.ok(hers.includes('"in"') && hers.includes('"links":2'));
  for (const path of ['/photos/out', '/photos/up/', '/photos/up/a.txt'])
    assert.equal(await status(t, nodes, path), 404, path);
  assert.equal(await status(t, nodes, '/photos/up/photos/../a.txt'), 403);
  assert.equal(await status(t, nodes, '/photos/in'), 200);
});

test('a refusal has the same bytes for files that exist and for those that do not', async (t) => {
  const nodes = await nodesWith(t, '/photos/2024');
  const pairs = [
    ['/a.txt', '/b.txt'],
    ['/photos/p.jpg', '/photos/q.jpg'],
    ['/photos/', '/fotos/'],
    ['/photos', '/fotos'],
  ] as const;
  const fields = ['Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'];
  for (const dialect of DIALECTS)
    for (const key of [undefined, KEYS.stranger, alice])
      for (const method of ['GET', 'HEAD'] as const)
        for (const accept of ['*/*', 'text/html', 'text/plain'])
          for (const [real, missing] of dialect === 'classic' ? pairs.slice(0, 1) : pairs.slice(0, 2)) {
            const replies = [real, missing].map(async (path) => {
              const asked = { dialect, key, method, path, fields: [...fields, `Accept: ${accept}`] };
              const { bytes, how } = await attempt(t, nodes, asked);
              return { text: withoutDate(bytes), how };
            });
            const [first, second] = await Promise.all(replies);
            assert.deepEqual(first, second, `${dialect} ${method} ${accept} ${real}`);
          }
  for (const [real, missing] of pairs) {
    const [first, second] = await Promise.all(
      [real, missing].map((path) => attempt(t, nodes, { dialect: 'HTTPS', key: alice, path, fields })),
    );
    assert.equal(withoutDate(first?.bytes ?? Buffer.alloc(0)), withoutDate(second?.bytes ?? Buffer.alloc(1)));
  }
});

test('the icon that browsers ask for is none for who may not read, whether there is one or not', async (t) => {
  const nodes = await nodesWith(t, '/photos');
  const icon = async () => attemptReply(t, nodes, { dialect: 'HTTP', path: '/favicon.ico' });
  const before = await icon();
  writeFileSync(join(nodes.root, 'favicon.ico'), 'an icon');
  const after = await icon();
  assert.deepEqual([before.status, after.status, after.body.length], [204, 204, 0]);
  const hers = await attemptReply(t, nodes, { dialect: 'HTTPS', key: bob, path: '/favicon.ico' });
  assert.equal(hers.body.toString(), 'an icon');
});

test('the status is for everyone, without what shows the size of what others read', async (t) => {
  const nodes = await nodesWith(t, '/photos');
  const { status: code, body } = await attemptReply(t, nodes, { dialect: 'HTTP', path: '/.viaduct/status' });
  assert.equal(code, 200);
  const members = Object.keys(JSON.parse(body.toString()) as object);
  assert.deepEqual(members, ['program', 'version', 'uptimeSeconds', 'client', 'relays']);
});

test('relaying is not reading', async (t) => {
  const nodes = await nodesWith(t, '/photos');
  const swapped = { relay: nodes.origin, origin: nodes.relay };
  for (const dialect of ['HTTP over a relay', 'tunnel'] as const)
    assert.equal((await attemptReply(t, swapped, { dialect, path: '/' })).status, 200, dialect);
});
