import assert from 'node:assert/strict';
import { linkSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { hasLeftovers, removeLeftovers } from '#src/files/leftovers.js';
import { openPartial } from '#src/files/open-partial.js';
import { partialPathsOf } from '#src/files/partial-name.js';
import { writeSidecar } from '#src/files/sidecar.js';
import { inspectTarget } from '#src/files/target.js';
import { tempFolder } from '../../support/temp.js';

const PRIVATE = { mode: 0o600 };

/** A file that is complete, and the sidecar of a process that was killed before it removed it. */
async function killed(t: TestContext, hidden: boolean) {
  const folder = tempFolder(t);
  const path = join(folder, 'f');
  writeFileSync(path, 'whole', PRIVATE);
  const paths = partialPathsOf(path, hidden);
  await writeSidecar(paths.sidecar, {
    source: 'http://h1:1/f',
    etag: '"v1"',
    size: 5,
    ranges: undefined,
  });
  return { folder, path, ...paths, names: () => readdirSync(folder).length };
}

for (const hidden of [false, true])
  describe(`after a kill, with ${hidden ? 'a hidden' : 'an open'} name`, () => {
    test('the sidecar goes', async (t) => {
      const { folder, path } = await killed(t, hidden);
      assert.equal(await hasLeftovers(folder), hidden);
      await removeLeftovers(path, hidden);
      assert.deepEqual(readdirSync(folder), ['f']);
      assert.equal(readFileSync(path, 'utf8'), 'whole');
      assert.equal(await hasLeftovers(folder), false);
    });

    test('a second name of the file goes, and the file stays whole', async (t) => {
      const { folder, path, partial } = await killed(t, hidden);
      linkSync(path, partial);
      await removeLeftovers(path, hidden);
      assert.deepEqual(readdirSync(folder), ['f']);
      assert.equal(readFileSync(path, 'utf8'), 'whole');
    });

    test('a partial file with other content stays, with its sidecar', async (t) => {
      const { path, partial, names } = await killed(t, hidden);
      writeFileSync(partial, 'par', PRIVATE);
      await removeLeftovers(path, hidden);
      assert.equal(names(), 3);
      assert.equal(readFileSync(partial, 'utf8'), 'par');
    });

    test('the files of a process that has just begun stay', async (t) => {
      const { path, partial, sidecar, names } = await killed(t, hidden);
      const { file, lock } = await openPartial({ partial, sidecar }, await inspectTarget(path));
      await removeLeftovers(path, hidden);
      const left = names();
      await file.close();
      await lock.release();
      assert.ok(left >= 3); // Where there are no kernel locks, the lock is a file.
    });

    test('a second name that viaduct did not give stays', async (t) => {
      const { path, partial, sidecar } = await killed(t, hidden);
      linkSync(path, partial);
      rmSync(sidecar);
      await removeLeftovers(path, hidden);
      assert.equal(readFileSync(partial, 'utf8'), 'whole');
    });

    test('a file that viaduct did not write stays', async (t) => {
      const { path, sidecar, names } = await killed(t, hidden);
      writeFileSync(sidecar, 'mine');
      await removeLeftovers(path, hidden);
      assert.equal(readFileSync(sidecar, 'utf8'), 'mine');
      assert.equal(names(), 2);
    });
  });
