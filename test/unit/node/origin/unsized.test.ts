import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { get } from 'viaduct';
import { failureOf } from '../../../support/failures.js';
import { fetchBytes } from '../../../support/fetch.js';
import { testChain } from '../../../support/nodes.js';
import { tempFolder } from '../../../support/temp.js';

describe('a file whose size is not the one that it reports', () => {
  // Neither changes while the system runs: the first reports 0 bytes, the second 4096.
  for (const path of ['/proc/version', '/sys/kernel/fscaps']) {
    test(`is served with its content, and verified: ${path}`, async (t) => {
      if (!existsSync(path)) return t.skip('this system has no such file');
      const content = readFileSync(path);
      const { route } = await testChain(t, 2, { root: dirname(path) });
      const name = basename(path);
      const target = join(tempFolder(t), 'copy');
      const { size, sha256 } = await get({ route, path: `/${name}` }, target);
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
    const { message } = await failureOf(get({ route, path: '/kallsyms' }, join(tempFolder(t), 'copy')));
    assert.match(message, /the file reports 0 bytes, but has more than 1 MiB/);
  });

  test('is not an empty file, nor one of just a page', async (t) => {
    const root = tempFolder(t);
    const { route } = await testChain(t, 1, { root });
    for (const size of [0, 4096]) {
      writeFileSync(join(root, 'file'), Buffer.alloc(size, 'a'));
      const target = join(tempFolder(t), 'copy');
      await get({ route, path: '/file' }, target);
      assert.equal(readFileSync(target).length, size);
    }
  });
});
