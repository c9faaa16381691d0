import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, renameSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import * as fc from 'fast-check';
import { askTar, headTar, tarEntries } from '../../../../support/archives.js';
import { testNode } from '../../../../support/nodes.js';
import { CONTROL_NAMES, ODD_NAMES, writeNames } from '../../../../support/odd-names.js';
import { readTar } from '../../../../support/tar.js';
import { randomFile, tempFolder } from '../../../../support/temp.js';
import { ask, get } from '../../../../support/wire-replies.js';

const TIME = new Date('2001-02-03T04:05:06Z');

/** `dir/` with small files, one that is larger than is read at once, and folders. */
async function prepare(t: TestContext) {
  const root = tempFolder(t);
  const dir = join(root, 'dir');
  mkdirSync(join(dir, 'b', 'deep'), { recursive: true });
  mkdirSync(join(dir, 'empty'));
  for (const name of ['zoo', 'a', 'b/x', 'b/deep/y', 'none'])
    writeFileSync(join(dir, name), name === 'none' ? '' : name);
  const large = randomFile(dir, 'large', 700_001);
  for (const name of ['zoo', 'b']) utimesSync(join(dir, name), TIME, TIME);
  chmodSync(join(dir, 'a'), 0o700);
  const { hop } = await testNode(t, { root });
  return { root, dir, large, hop };
}

test('all of a folder, sorted, each folder before what is in it', async (t) => {
  const { hop, large } = await prepare(t);
  const { fields, body } = await askTar(t, hop, '/dir/');
  assert.deepEqual(
    [fields['content-type'], fields['accept-ranges'], fields['last-modified'], fields['viaduct-left-out']],
    ['application/x-tar', 'bytes', undefined, undefined],
  );
  assert.equal(fields['content-disposition'], `attachment; filename="dir.tar"; filename*=UTF-8''dir.tar`);
  const { comment, entries } = readTar(body);
  assert.equal(comment, undefined);
  assert.deepEqual(
    entries.map(({ name, mode }) => [name, mode.toString(8)]),
    [
      ['dir/', '755'],
      ['dir/a', '755'],
      ['dir/large', '644'],
      ['dir/none', '644'],
      ['dir/zoo', '644'],
      ['dir/b/', '755'],
      ['dir/b/x', '644'],
      ['dir/b/deep/', '755'],
      ['dir/b/deep/y', '644'],
      ['dir/empty/', '755'],
    ],
  );
  const [found, zoo, b] = ['dir/large', 'dir/zoo', 'dir/b/'].map((name) =>
    entries.find((entry) => entry.name === name),
  );
  assert.ok(found?.content.equals(large));
  assert.deepEqual([zoo?.modified, b?.modified], [TIME.getTime() / 1000, TIME.getTime() / 1000]);
  assert.equal(zoo?.content.toString(), 'zoo');
});

test('the same bytes again, and of the same length as HEAD has', async (t) => {
  const { hop } = await prepare(t);
  const [first, second, head] = [
    await askTar(t, hop, '/dir/'),
    await askTar(t, hop, '/dir/'),
    await headTar(t, hop, '/dir/'),
  ];
  assert.ok(first.body.equals(second.body));
  for (const field of ['etag', 'content-length', 'content-type'])
    assert.deepEqual([second.fields[field], head.fields[field]], [first.fields[field], first.fields[field]]);
  assert.match(first.fields['etag'] ?? '', /^"[\x21\x23-\x7e]+"$/);
});

test('any range is that part of the whole', async (t) => {
  const { hop } = await prepare(t);
  const { fields, body } = await askTar(t, hop, '/dir/');
  const size = body.length;
  const check = async (start: number, end: number): Promise<void> => {
    const part = await askTar(t, hop, '/dir/', `Range: bytes=${start}-${end}`, `If-Range: ${fields['etag']}`);
    assert.equal(part.status, 206);
    assert.equal(part.fields['content-range'], `bytes ${start}-${end}/${size}`);
    assert.ok(part.body.equals(body.subarray(start, end + 1)), `${start}-${end}`);
  };
  // Around every border: of headers, contents, paddings and the end.
  const starts = Array.from({ length: Math.floor(size / 512) }, (_, block) => block * 512).filter(
    (at) => at < 4096 || at > size - 8192,
  );
  for (const at of starts)
    for (const start of [at, at + 1, at + 511]) await check(start, Math.min(size, start + 600) - 1);
  const position = fc.integer({ min: 0, max: size - 1 });
  await fc.assert(
    fc.asyncProperty(position, position, (a, b) => check(Math.min(a, b), Math.max(a, b))),
    { numRuns: 40 },
  );
});

test('conditions', async (t) => {
  const { hop, dir } = await prepare(t);
  const { fields, body } = await askTar(t, hop, '/dir/');
  const etag = fields['etag'] ?? '';
  for (const [status, ...conditions] of [
    [304, `If-None-Match: ${etag}`],
    [200, 'If-None-Match: "other"'],
    [412, 'If-Match: "other"'],
    [200, `If-Match: ${etag}`],
    [416, `Range: bytes=${body.length}-`],
    [200, 'Range: bytes=5-', 'If-Range: "other"'],
    [200, `If-Modified-Since: ${new Date().toUTCString()}`],
    [200, `If-Unmodified-Since: ${new Date(0).toUTCString()}`],
    [200, 'Range: bytes=0-1,5-6'],
    [206, 'Range: bytes=-5'],
  ] as const)
    assert.equal((await askTar(t, hop, '/dir/', ...conditions)).status, status, conditions.join(', '));
  writeFileSync(join(dir, 'new'), 'x');
  assert.equal(
    (await askTar(t, hop, '/dir/', `If-None-Match: ${etag}`)).status,
    200,
    'what is new shows at once',
  );
});

describe('the ETag is another one after', () => {
  for (const [what, change] of Object.entries<(dir: string) => void>({
    'a new file': (dir) => writeFileSync(join(dir, 'new'), ''),
    'a new empty folder': (dir) => mkdirSync(join(dir, 'new')),
    'a deleted file': (dir) => rmSync(join(dir, 'b/x')),
    'another name': (dir) => renameSync(join(dir, 'b/x'), join(dir, 'b/w')),
    'another content of the same size': (dir) => writeFileSync(join(dir, 'b/deep/y'), 'B/DEEP/Y'),
    'another size': (dir) => truncateSync(join(dir, 'large'), 5),
    'another time': (dir) => utimesSync(join(dir, 'none'), TIME, TIME),
    'another mode': (dir) => chmodSync(join(dir, 'zoo'), 0o755),
    'a folder of another time': (dir) => utimesSync(join(dir, 'empty'), TIME, TIME),
  })) {
    test(what, async (t) => {
      const { hop, dir } = await prepare(t);
      const before = await headTar(t, hop, '/dir/');
      change(dir);
      const after = await askTar(t, hop, '/dir/');
      assert.notEqual(after.fields['etag'], before.fields['etag']);
      readTar(after.body);
    });
  }
});

test('names that programs get wrong, and those that are not UTF-8', async (t) => {
  const { hop, dir } = await prepare(t);
  const names = [...ODD_NAMES, ...CONTROL_NAMES];
  writeNames(join(dir, 'odd'), names);
  writeFileSync(Buffer.concat([Buffer.from(`${dir}/odd/`), Buffer.of(0xff, 0xfe)]), 'bytes');
  const entries = await tarEntries(t, hop, '/dir/odd/');
  for (const name of names)
    assert.equal(entries.get(`odd/${name}`)?.content.toString(), `this is ${JSON.stringify(name)}\n`);
  assert.equal(entries.get('odd/\udcff\udcfe')?.content.toString(), 'bytes');
  assert.equal(entries.size, names.length + 2);
});

test('the root has a folder too; a file is no archive; without its slash a folder is redirected with its query', async (t) => {
  const { hop } = await prepare(t);
  const root = await tarEntries(t, hop, '/');
  assert.ok(root.has('files/dir/b/deep/y'));
  const file = await askTar(t, hop, '/dir/a');
  assert.deepEqual([file.status, file.body.toString()], [200, 'a']);
  const redirected = await ask(t, hop, get('/dir?tar'));
  assert.deepEqual([redirected.status, redirected.fields['location']], [301, './dir/?tar']);
  assert.equal((await askTar(t, hop, '/missing/')).status, 404);
});
