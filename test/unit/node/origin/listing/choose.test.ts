import assert from 'node:assert/strict';
import { utimesSync, writeFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { FolderNames } from '#src/node/origin/folder-names.js';
import { type Choice, SORTED_ENTRIES, choose } from '#src/node/origin/listing/choose.js';
import { Names } from '#src/node/origin/listing/names.js';
import { type ListingQuery, NO_QUERY } from '#src/node/origin/listing/query.js';
import { nothingAt } from '#src/node/origin/served-folder.js';
import { tempFolder } from '../../../../support/temp.js';

const NOTHING_OMITTED = { hidden: 0, links: 0, special: 0, unreadable: 0 };

/** The files that are looked at from here on. */
function watchStat(t: TestContext): readonly string[] {
  const seen: string[] = [];
  const real = fs.stat;
  Reflect.set(fs, 'stat', (...args: readonly unknown[]): unknown => {
    seen.push(String(args[0]));
    return Reflect.apply(real, fs, args);
  });
  syncBuiltinESMExports();
  t.after(() => {
    Reflect.set(fs, 'stat', real);
    syncBuiltinESMExports();
  });
  return seen;
}

/** A folder of files `0` to `count`, of which those that exist are newer the higher their number. */
function prepare(t: TestContext, count: number, exist: number) {
  const path = tempFolder(t);
  for (let index = 0; index < exist; index += 1) {
    writeFileSync(join(path, `${index}`), '');
    utimesSync(join(path, `${index}`), 1000 + index, 1000 + index);
  }
  const files = Array.from({ length: count }, (_, index) => `${index}`);
  const names = new Names({ folders: [], files }, NOTHING_OMITTED);
  const reader = new FolderNames();
  const chosen = (query: Partial<ListingQuery>): Promise<Choice> =>
    choose(
      {
        folder: nothingAt(''),
        names,
        facts: () => names.facts(),
        infoOf: (name) => fs.stat(join(path, name)),
        reader,
      },
      { ...NO_QUERY, ...query },
    );
  return { chosen };
}

const NEWEST = { sort: 'time', order: 'desc' } as const;
const untilEnd = new AbortController().signal;

test('more entries than are sorted by size or time are refused, unless few of them are asked for', async (t) => {
  const { chosen } = prepare(t, SORTED_ENTRIES + 1, 20);
  const message = /^200001 entries are too many to sort by time.*200000.*\?q=/;
  await assert.rejects(chosen(NEWEST), { code: 'BAD_REQUEST', message });
  const byName = await chosen({ page: 2 });
  assert.equal(byName.isSortable, false);
  assert.equal((await byName.names(untilEnd)).files[0], '250');
  const seen = watchStat(t);
  const few = await chosen({ ...NEWEST, text: '20000' });
  assert.deepEqual((await few.names(untilEnd)).files, ['20000', '120000', '200000']);
  assert.equal(seen.length, 3);
});

test('what a folder is sorted by is read once for all pages and orders, and anew after some time', async (t) => {
  const { chosen } = prepare(t, 2000, 2000);
  const seen = watchStat(t);
  const newest = async (query: Partial<ListingQuery> = {}): Promise<readonly string[]> =>
    (await (await chosen({ ...NEWEST, ...query })).names(untilEnd)).files;
  const pages = await Promise.all([newest(), newest({ page: 2 }), newest({ order: 'asc' })]);
  assert.deepEqual(
    pages.map(([first]) => first),
    ['1999', '1749', '0'],
  );
  assert.equal(seen.length, 2000);
  await newest({ page: 3 });
  assert.equal(seen.length, 2000);
  const now = performance.now.bind(performance);
  t.mock.method(performance, 'now', () => now() + 11_000);
  await newest();
  assert.equal(seen.length, 4000);
});

test('it is read no further when nobody waits for it any more', async (t) => {
  const { chosen } = prepare(t, 5000, 0);
  const choice = await chosen(NEWEST);
  const seen = watchStat(t);
  const gone = new AbortController();
  const waiting = choice.names(gone.signal);
  setImmediate(() => gone.abort(new Error('gone')));
  await assert.rejects(waiting, { message: 'gone' });
  const count = seen.length;
  assert.ok(count > 0 && count < 5000, `${count} were read`);
  // Whoever comes next goes on from there.
  await choice.names(untilEnd);
  assert.equal(seen.length, 5000);
});
