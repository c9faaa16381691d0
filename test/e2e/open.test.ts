import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { formatHop, openGateway } from 'viaduct';
import { failureOf } from '../support/failures.js';
import { ask, testGateway } from '../support/gateway.js';
import { TRUSTED } from '../support/identity.js';
import { watchDescriptors } from '../support/leaks.js';
import { SECRET, linkTo } from '../support/links.js';
import { testChain, testNode } from '../support/nodes.js';
import { randomFile, tempFolder } from '../support/temp.js';

const MIB = 1024 * 1024;

/** Three relays, and an origin with a folder. */
async function folderBehind(t: TestContext) {
  const root = tempFolder(t);
  mkdirSync(join(root, 'photos', 'größe & more'), { recursive: true });
  const bytes = randomFile(join(root, 'photos'), 'picture.jpg', MIB + 7);
  writeFileSync(join(root, 'photos', 'page.html'), '<script>document.title = 1</script>');
  const { route } = await testChain(t, 4, { root });
  return { route, bytes, location: { route, path: '/photos/' } };
}

test('a folder over three relays: its page, its listing, its files', async (t) => {
  const { location, bytes } = await folderBehind(t);
  const gateway = await testGateway(t, location);
  assert.match(gateway.url, /^http:\/\/127\.0\.0\.1:\d+\/[\w-]{22}\/photos\/$/);

  const shown = await ask(gateway.url, { headers: { Accept: 'text/html' } });
  assert.equal(shown.headers['content-type'], 'text/html; charset=utf-8');
  assert.match(String(shown.headers['content-security-policy']), /^sandbox/);
  assert.match(shown.body.toString(), /picture\.jpg/);

  const listed = await ask(gateway.url, { headers: { Accept: 'application/json' } });
  assert.equal(listed.headers['content-type'], 'application/json');
  assert.match(listed.body.toString(), /"name":"picture.jpg","type":"file","size":1048583/);

  const file = await ask(`${gateway.url}picture.jpg`);
  assert.equal(file.status, 200);
  assert.ok(file.body.equals(bytes));
  assert.equal(file.headers['content-type'], 'image/jpeg');
  assert.equal(file.headers['cache-control'], 'private, no-cache');
  assert.equal(file.headers['x-content-type-options'], 'nosniff');

  const complete = await gateway.event('complete');
  assert.equal(complete.id, 1);
  const verified = gateway.events.find(({ type }, index) => type === 'complete' && index > 4);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  assert.deepEqual(verified, {
    type: 'complete',
    id: 3,
    path: '/photos/picture.jpg',
    bytes: bytes.length,
    sha256,
  });
});

test('ranges, HEAD and conditions', async (t) => {
  const { location, bytes } = await folderBehind(t);
  const { url } = await testGateway(t, location);
  const file = `${url}picture.jpg`;
  const part = await ask(file, { headers: { Range: 'bytes=1000-1999' } });
  assert.equal(part.status, 206);
  assert.equal(part.headers['content-range'], `bytes 1000-1999/${bytes.length}`);
  assert.ok(part.body.equals(bytes.subarray(1000, 2000)));
  const end = await ask(file, { headers: { Range: 'bytes=-10' } });
  assert.ok(end.body.equals(bytes.subarray(-10)));
  const beyond = await ask(file, { headers: { Range: `bytes=${bytes.length}-` } });
  assert.equal(beyond.status, 416);
  assert.equal(beyond.headers['content-range'], `bytes */${bytes.length}`);

  const head = await ask(file, { method: 'HEAD' });
  assert.equal(head.headers['content-length'], String(bytes.length));
  assert.equal(head.body.length, 0);
  const { etag = '' } = head.headers;
  const known = await ask(file, { headers: { 'If-None-Match': etag } });
  assert.equal(known.status, 304);
  const other = await ask(file, { headers: { 'If-Match': '"other"' } });
  assert.equal(other.status, 412);
  const since = await ask(file, { headers: { Range: 'bytes=0-9', 'If-Range': '"other"' } });
  assert.equal(since.status, 200);
  assert.ok(since.body.equals(bytes));
});

test('a folder without its slash, a name in UTF-8, and what does not exist', async (t) => {
  const { location, route } = await folderBehind(t);
  const gateway = await testGateway(t, { ...location, path: '/photos' });
  assert.equal(gateway.location.path, '/photos/');
  const folder = await ask(`${gateway.url}gr%C3%B6%C3%9Fe%20%26%20more`);
  assert.equal(folder.status, 301);
  assert.equal(folder.headers['location'], './gr%C3%B6%C3%9Fe%20%26%20more/');
  const missing = await ask(`${gateway.url}missing`);
  assert.equal(missing.status, 404);
  const problem = JSON.parse(missing.body.toString()) as Record<string, unknown>;
  const last = formatHop(route.at(-1) ?? assert.fail());
  assert.deepEqual([problem['code'], problem['hop'], problem['address']], ['NOT_FOUND', 4, last]);
});

test('a single file', async (t) => {
  const { route, bytes } = await folderBehind(t);
  const gateway = await testGateway(t, { route, path: '/photos/picture.jpg' });
  assert.ok(gateway.url.endsWith('/photos/picture.jpg'));
  assert.ok((await ask(gateway.url)).body.equals(bytes));
});

test('without verification', async (t) => {
  const { route, bytes } = await folderBehind(t);
  const gateway = await testGateway(t, { route, path: '/photos/picture.jpg' }, { verify: false });
  assert.ok((await ask(gateway.url)).body.equals(bytes));
  assert.equal((await gateway.event('complete')).sha256, undefined);
});

test('a share link: its token is in the URL, and in no event', async (t) => {
  const root = tempFolder(t);
  mkdirSync(join(root, 'photos'));
  const bytes = randomFile(join(root, 'photos'), 'picture.jpg', 1000);
  const { hop } = await testNode(t, { root, access: 'links', shareSecret: SECRET });
  const path = linkTo('/photos', 'folder', '/photos/');
  const gateway = await testGateway(t, { route: [hop], path });
  assert.ok((await ask(`${gateway.url}picture.jpg`)).body.equals(bytes));
  assert.equal((await gateway.event('complete')).path, '/.viaduct/share/…/photos/picture.jpg');
  const token = path.split('/')[3] ?? assert.fail();
  const { body } = await ask(gateway.statusUrl);
  assert.ok(
    !body
      .toString()
      .replace(/href="[^"]*"/, '')
      .includes(token),
  );
  assert.equal((await ask(gateway.url.replace(path, '/photos/'))).status, 403);
});

test('what cannot be opened fails at once, with the hop and the reason', async (t) => {
  const { route } = await folderBehind(t);
  const missing = await failureOf(openGateway({ route, path: '/missing' }, TRUSTED));
  assert.deepEqual([missing.code, missing.hopNumber], ['NOT_FOUND', 4]);
  const unknown = await failureOf(openGateway({ route, path: '/' }));
  assert.deepEqual([unknown.code, unknown.hopNumber], ['UNKNOWN_HOST_KEY', 4]);
  const port = route[0]?.port ?? 0;
  const taken = await failureOf(openGateway({ route, path: '/' }, { ...TRUSTED, port }));
  assert.equal(taken.code, 'LISTEN_FAILED');
});

test('many clients at once share a bounded number of connections over the route', async (t) => {
  const root = tempFolder(t);
  const bytes = randomFile(root, 'file', 100_000);
  const origin = await testNode(t, { root });
  const relay = await testNode(t);
  const gateway = await testGateway(t, { route: [relay.hop, origin.hop], path: '/file' });
  const answers = await Promise.all(Array.from({ length: 60 }, () => ask(gateway.url)));
  assert.ok(answers.every(({ body }) => body.equals(bytes)));
  const connections = relay.events.filter(({ type }) => type === 'accepted').length;
  assert.ok(connections <= 33, `${connections} connections`);
});

test('it closes what it has opened', async (t) => {
  const { location } = await folderBehind(t);
  const settled = watchDescriptors();
  const gateway = await testGateway(t, location);
  await Promise.all([ask(gateway.url), ask(`${gateway.url}picture.jpg`), ask(gateway.statusUrl)]);
  const cut = ask(`${gateway.statusUrl}events`);
  await new Promise((resolve) => get(`${gateway.statusUrl}events`, resolve).on('error', () => {}));
  await gateway.close();
  await cut;
  await settled();
});

test('hops in the path are refused: their keys were not checked', async (t) => {
  const { location } = await folderBehind(t);
  const other = await testNode(t, { root: tempFolder(t) });
  const gateway = await testGateway(t, location);
  const answer = await ask(gateway.url.replace('/photos/', `/@${formatHop(other.hop)}/`));
  assert.equal(answer.status, 404);
  assert.match(answer.body.toString(), /further hops cannot be opened here/);
  assert.equal(other.events.length, 0);
});

test('port 80, which clients leave out of Host', async (t) => {
  const { location, bytes } = await folderBehind(t);
  const gateway = await testGateway(t, location, { port: 80 }).catch(() => undefined);
  if (gateway === undefined) return t.skip('port 80 is taken, or only for root');
  assert.ok(gateway.url.startsWith('http://127.0.0.1/'));
  assert.ok((await ask(`${gateway.url}picture.jpg`)).body.equals(bytes));
  assert.equal((await ask(gateway.statusUrl)).status, 200);
});

test('only for what may be the whole file the origin computes a SHA-256', async (t) => {
  const root = tempFolder(t);
  const bytes = randomFile(root, 'file', 1000);
  const { hop } = await testNode(t, { root });
  const { url } = await testGateway(t, { route: [hop], path: '/file' });
  const isComputed = async (headers: Record<string, string>): Promise<boolean> => {
    const answer = await ask(url, { headers });
    assert.ok(answer.body.length > 0 && bytes.includes(answer.body));
    return answer.headers['repr-digest'] !== undefined;
  };
  for (const Range of ['bytes=1-', 'bytes=10-19', 'bytes=0-9', 'bytes=-10'])
    assert.equal(await isComputed({ Range }), false, Range);
  for (const Range of ['bytes=0-', 'bytes=0-9,20-29', 'lines=1-2'])
    assert.equal(await isComputed({ Range }), true, Range);
  assert.equal(await isComputed({}), true);
  assert.equal(await isComputed({ Range: 'bytes=10-19', 'If-Range': '"other"' }), true);
});
