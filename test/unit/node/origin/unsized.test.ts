import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { get } from 'viaduct';
import { request } from '#src/client/http/request.js';
import { Root } from '#src/node/origin/root.js';
import { measured } from '#src/node/origin/unsized.js';
import { failureOf } from '../../../support/failures.js';
import { fetchBytes } from '../../../support/fetch.js';
import { testChain } from '../../../support/nodes.js';
import { tempFolder } from '../../../support/temp.js';
import { TRUSTED } from '../../../support/identity.js';

describe('a file whose size is not the one that it reports', () => {
  // Neither changes while the system runs: the first reports 0 bytes, the second 4096.
  for (const path of ['/proc/version', '/sys/kernel/fscaps']) {
    test(`is served with its content, and verified: ${path}`, async (t) => {
      if (!existsSync(path)) return t.skip('this system has no such file');
      const content = readFileSync(path);
      const { route } = await testChain(t, 2, { root: dirname(path) });
      const name = basename(path);
      const target = join(tempFolder(t), 'copy');
      const { size, sha256 } = await get({ route, path: `/${name}` }, target, TRUSTED);
      assert.ok(content.length > 0);
      assert.ok(readFileSync(target).equals(content));
      assert.equal(size, content.length);
      assert.ok(sha256 !== undefined);
      assert.deepEqual(await fetchBytes(name, route), content);
    });
  }

  test('is refused if it is larger than what is held in memory', async (t) => {
    if (!existsSync('/proc/kallsyms')) return t.skip('this system has no such file');
    const { route } = await testChain(t, 1, { root: '/proc' });
    const { message } = await failureOf(
      get({ route, path: '/kallsyms' }, join(tempFolder(t), 'copy'), TRUSTED),
    );
    assert.match(message, /the file reports 0 bytes, but has more than 1 MiB/);
  });

  test('is not an empty file, nor one of just a page', async (t) => {
    const root = tempFolder(t);
    const { route } = await testChain(t, 1, { root });
    for (const size of [0, 4096]) {
      writeFileSync(join(root, 'file'), Buffer.alloc(size, 'a'));
      const target = join(tempFolder(t), 'copy');
      await get({ route, path: '/file' }, target, TRUSTED);
      assert.equal(readFileSync(target).length, size);
    }
  });
});

// An ordinary file has 0 bytes, or a page, for a moment.
describe('an ordinary file that is opened just when it is', () => {
  for (const [what, before, change, size] of [
    [
      'empty, and has 3 MiB by now',
      0,
      (path: string) => appendFileSync(path, Buffer.alloc(3_145_728)),
      3_145_728,
    ],
    ['empty, and has 1000 bytes by now', 0, (path: string) => appendFileSync(path, Buffer.alloc(1000)), 1000],
    ['of a page, and grows', 4096, (path: string) => appendFileSync(path, 'more'), 4100],
    ['of a page, and is cut', 4096, (path: string) => writeFileSync(path, 'less'), 4],
    ['of a page, and is emptied', 4096, (path: string) => writeFileSync(path, ''), 0],
  ] as const) {
    test(`${what} is served as it is by now, with the ETag of a file`, async (t) => {
      const folder = tempFolder(t);
      const path = join(folder, 'file');
      writeFileSync(path, Buffer.alloc(before));
      const root = await Root.at(folder, false);
      const opened = await root.openFile('file');
      t.after(() => opened.handle.close());
      change(path);
      const { file, content } = await measured(opened);
      assert.equal(content, undefined);
      assert.equal(file.size, size);
      const again = await root.openFile('file');
      await again.handle.close();
      assert.deepEqual([file.version, file.modified], [again.version, again.modified]);
    });
  }

  test('written in a loop is never refused', async (t) => {
    const root = tempFolder(t);
    const { route } = await testChain(t, 1, { root });
    const bytes = Buffer.alloc(3_000_000, 'a');
    writeFileSync(join(root, 'file'), bytes);
    const over = new AbortController();
    const writing = (async () => {
      while (!over.signal.aborted) await writeFile(join(root, 'file'), bytes);
    })();
    try {
      for (let count = 0; count < 100; count += 1) {
        const reply = await request({ route, path: '/file' }, { ...TRUSTED, method: 'HEAD' });
        reply.close();
        assert.doesNotMatch(reply.field('etag') ?? '', /^"[\da-f]{64}"$/, 'served as a file of the kernel');
      }
    } finally {
      over.abort();
      await writing;
    }
  });
});
