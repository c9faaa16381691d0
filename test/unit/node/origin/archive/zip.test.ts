import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { testNode } from '../../../../support/nodes.js';
import { randomFile, tempFolder } from '../../../../support/temp.js';
import { ask, get, headOf } from '../../../../support/wire-replies.js';
import { readZip } from '../../../../support/zip.js';

const TIME = new Date('2001-02-03T04:05:06Z');

/** `dir/` with small files, a large one, a folder and a link. */
async function prepare(t: TestContext) {
  const root = tempFolder(t);
  const dir = join(root, 'dir');
  mkdirSync(join(dir, 'sub'), { recursive: true });
  const large = randomFile(dir, 'large', 700_001);
  for (const name of ['a', 'größe', 'sub/x']) writeFileSync(join(dir, name), name);
  writeFileSync(join(dir, 'none'), '');
  utimesSync(join(dir, 'a'), TIME, TIME);
  chmodSync(join(dir, 'a'), 0o700);
  symlinkSync('a', join(dir, 'link'));
  const { hop } = await testNode(t, { root });
  return { hop, large };
}

test('all of a folder, of the length that HEAD has, the same each time', async (t) => {
  const { hop, large } = await prepare(t);
  const first = await ask(t, hop, get('/dir/?zip'));
  const { comment, entries } = readZip(first.body);
  assert.match(comment, /^left out: 1 link\nlinks: dir\/link$/);
  assert.deepEqual(
    entries.map(({ name, mode }) => [name, mode.toString(8)]),
    [
      ['dir/', '40755'],
      ['dir/a', '100755'],
      ['dir/größe', '100644'],
      ['dir/large', '100644'],
      ['dir/none', '100644'],
      ['dir/sub/', '40755'],
      ['dir/sub/x', '100644'],
    ],
  );
  assert.ok(entries.find(({ name }) => name === 'dir/large')?.content.equals(large));
  assert.equal(entries.find(({ name }) => name === 'dir/sub/x')?.content.toString(), 'sub/x');
  assert.equal(entries.find(({ name }) => name === 'dir/a')?.modified, TIME.getTime() / 1000);
  const head = await ask(t, hop, headOf('HEAD /dir/?zip HTTP/1.1'));
  assert.equal(head.fields['content-length'], String(first.body.length));
  const again = await ask(t, hop, get('/dir/?zip'));
  assert.deepEqual([again.fields['etag'], again.body.equals(first.body)], [first.fields['etag'], true]);
});

test('it has no ranges, and another ETag than the tar archive', async (t) => {
  const { hop } = await prepare(t);
  const whole = await ask(t, hop, get('/dir/?zip', 'Range: bytes=5-9'));
  assert.deepEqual(
    [whole.status, whole.fields['accept-ranges'], whole.fields['content-type']],
    [200, 'none', 'application/zip'],
  );
  assert.match(whole.fields['content-disposition'] ?? '', /filename="dir\.zip"/);
  readZip(whole.body);
  const tar = await ask(t, hop, get('/dir/?tar', `If-None-Match: ${whole.fields['etag']}`));
  assert.equal(tar.status, 200);
});
