import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeShare } from '#src/route/share-token.js';
import { linkPath } from '#src/route/share-link.js';
import { SECRET, linkTo, tokenFor } from '../support/links.js';
import { KEYS, attemptReply, authorizedFile, attempt, readable, treeToRead } from '../support/readers.js';

// Which links open what: link × dialect × method. Nothing may depend on whether a file exists.

const good = tokenFor('/photos');
const ofFile = tokenFor('/photos/p.jpg', 'file');
const forged = encodeShare(
  { below: ['photos'], kind: 'folder', expires: 4_000_000_000 },
  Buffer.alloc(32, 6),
);
const flipped = `${good.slice(0, 4)}${good[4] === 'A' ? 'B' : 'A'}${good.slice(5)}`;

const ROWS: readonly (readonly [what: string, path: string, status: number])[] = [
  ['of a folder', linkPath(good, '/photos/p.jpg'), 200],
  ['of a folder, its listing', linkPath(good, '/photos/'), 200],
  ['of a folder, without its slash', linkPath(good, '/photos'), 301],
  ['of a folder, below it', linkPath(good, '/photos/2024/n.jpg'), 200],
  ['of a folder, a missing file', linkPath(good, '/photos/missing.jpg'), 404],
  ['with another spelling inside', linkPath(good, '/%70hotos//./p%2Ejpg?x=1'), 200],
  ['of a file', linkPath(ofFile, '/photos/p.jpg'), 200],
  ['of a file, with a query', linkPath(ofFile, '/photos/p.jpg?x=1#y'), 200],
  ['of the root', linkTo('/', 'folder', '/a.txt'), 200],
  ['of the root, its listing', linkTo('/', 'folder', '/'), 200],
  ['of the root, without its slash', linkTo('/', 'folder', ''), 301],
  ['of another folder', linkPath(good, '/a.txt'), 403],
  ['of another file', linkPath(ofFile, '/photos/q.jpg'), 403],
  ['of a file, for its folder', linkPath(ofFile, '/photos/'), 403],
  ['of a file, with a slash', linkPath(ofFile, '/photos/p.jpg/'), 403],
  ['of a file, with two slashes', linkPath(ofFile, '/photos//p.jpg'), 403],
  ['of a file, with more below it', linkPath(ofFile, '/photos/p.jpg/x'), 403],
  ['of a file, in other case', linkPath(ofFile, '/photos/P.jpg'), 403],
  ['of a file that is a folder', linkPath(tokenFor('/photos', 'file'), '/photos/'), 403],
  ['up, out of it', linkPath(good, '/photos/../a.txt'), 403],
  ['up, encoded', linkPath(good, '/photos/%2e%2e/a.txt'), 403],
  ['up, and back', linkPath(good, '/photos/../photos/p.jpg'), 403],
  ['of a longer name', linkPath(good, '/photosx'), 403],
  ['in other case', linkPath(good, '/Photos/p.jpg'), 403],
  ['for the root', linkPath(good, '/'), 403],
  ['for nothing', linkPath(good, ''), 403],
  ['with the path in the query', linkPath(good, '/?/photos/p.jpg'), 403],
  ['in the query', `/photos/p.jpg?${linkPath(good, '/photos/p.jpg')}`, 403],
  ['that has expired', linkPath(tokenFor('/photos', 'folder', -1), '/photos/p.jpg'), 403],
  ['that is forged', linkPath(forged, '/photos/p.jpg'), 403],
  ['that is changed', linkPath(flipped, '/photos/p.jpg'), 403],
  ['that is cut', linkPath(good.slice(0, -1), '/photos/p.jpg'), 403],
  ['with more behind', linkPath(`${good}A`, '/photos/p.jpg'), 403],
  ['that is empty', linkPath('', '/photos/p.jpg'), 403],
  ['in another spelling', `/%2eviaduct/share/${good}/photos/p.jpg`, 403],
  ['behind a slash', `//.viaduct/share/${good}/photos/p.jpg`, 403],
  ['in a link', linkPath(good, linkPath(good, '/photos/p.jpg')), 403],
  ['for the status of the node', linkTo('/', 'folder', '/.viaduct/status'), 404],
  ['none', '/photos/p.jpg', 403],
];

for (const dialect of ['HTTP', 'HTTP over a relay', 'HTTPS', 'tunnel'] as const)
  describe(`a link, ${dialect}`, () => {
    for (const method of ['GET', 'HEAD'] as const)
      test(method, async (t) => {
        const nodes = await readable(t, { root: treeToRead(t), access: 'links', shareSecret: SECRET });
        for (const [what, path, status] of ROWS) {
          const reply = await attemptReply(t, nodes, { dialect, method, path });
          assert.equal(reply.status, status, what);
          const asks = ['reading from this node', 'this link'];
          const error = reply.fields.get('viaduct-error') ?? '';
          if (status === 403)
            assert.ok(
              asks.some((text) => error.includes(text)),
              `${what}: ${error}`,
            );
          assert.ok(!error.includes(good) && !error.includes(ofFile), what);
        }
      });
  });

test('the bytes of a refusal show nothing of the tree', async (t) => {
  const nodes = await readable(t, { root: treeToRead(t), access: 'links', shareSecret: SECRET });
  const refusal = async (token: string, path: string): Promise<string> =>
    (await attemptReply(t, nodes, { dialect: 'HTTP', path: linkPath(token, path) })).body.toString();
  for (const token of [ofFile, forged, 'x']) {
    const text = await refusal(token, '/a.txt');
    for (const path of ['/b.txt', '/photos/', '/fotos/', '/a.txt/x'])
      assert.equal(await refusal(token, path), text, path);
  }
});

test('a public node checks links too; without a secret, and with keys alone, none opens anything', async (t) => {
  const root = treeToRead(t);
  const path = linkTo('/photos', 'folder', '/photos/p.jpg');
  const wrong = linkTo('/photos', 'folder', '/a.txt');
  const open = await readable(t, { root, shareSecret: SECRET });
  assert.equal((await attemptReply(t, open, { dialect: 'HTTP', path })).status, 200);
  assert.equal((await attemptReply(t, open, { dialect: 'HTTP', path: wrong })).status, 403);
  assert.equal((await attemptReply(t, open, { dialect: 'HTTP', path: '/a.txt' })).status, 200);
  const without = await readable(t, { root });
  assert.equal((await attemptReply(t, without, { dialect: 'HTTP', path })).status, 403);
  const authorized = authorizedFile(t, `${KEYS.alice.pin} alice\n`);
  const keys = await readable(t, { root, access: 'keys', authorized, shareSecret: SECRET });
  assert.equal((await attemptReply(t, keys, { dialect: 'HTTPS', key: KEYS.alice, path })).status, 403);
});

test('keys and links: either is enough, but a link opens only what it is for', async (t) => {
  const authorized = authorizedFile(t, `${KEYS.alice.pin} alice\n`);
  const access = ['keys', 'links'] as const;
  const nodes = await readable(t, { root: treeToRead(t), access, authorized, shareSecret: SECRET });
  const status = async (key: typeof KEYS.alice | undefined, path: string): Promise<number> =>
    (await attemptReply(t, nodes, { dialect: 'HTTPS', key, path })).status;
  assert.equal(await status(KEYS.alice, '/a.txt'), 200);
  assert.equal(await status(undefined, '/a.txt'), 403);
  assert.equal(await status(undefined, linkPath(good, '/photos/p.jpg')), 200);
  assert.equal(await status(KEYS.alice, linkPath(good, '/a.txt')), 403);
});

test('the classic wire carries no link', async (t) => {
  const nodes = await readable(t, { root: treeToRead(t), access: 'links', shareSecret: SECRET });
  for (const path of ['/a.txt', linkPath(good, '/photos/p.jpg')]) {
    const { how, bytes } = await attempt(t, nodes, { dialect: 'classic', path });
    assert.deepEqual([how, bytes.length], ['reset', 0], path);
  }
  const failures = nodes.origin.events.filter((event) => event.type === 'failed');
  assert.deepEqual(new Set(failures.map(({ error }) => error.code)), new Set(['ACCESS_DENIED']));
  assert.ok(!JSON.stringify(nodes.origin.events).includes(good));
});
