import assert from 'node:assert/strict';
import { mkdirSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { PAGE_ENTRIES } from '#src/node/origin/listing/choose.js';
import { testNode } from '../../../../support/nodes.js';
import { tempFolder } from '../../../../support/temp.js';
import { type StrictReply, ask, get } from '../../../../support/wire-replies.js';

interface View {
  readonly entries: readonly { readonly name: string }[];
  readonly page?: number;
  readonly pages?: number;
  readonly total?: number;
}

const BROWSER = 'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

async function prepare(t: TestContext, shares?: readonly { name: string; folder: string }[]) {
  const root = tempFolder(t);
  const node = await testNode(
    t,
    shares === undefined
      ? { root }
      : { root, shares: shares.map((share) => ({ ...share, access: 'public' as const })) },
  );
  const html = (path: string, accept = BROWSER): Promise<StrictReply> => ask(t, node.hop, get(path, accept));
  const json = async (path: string): Promise<View> => {
    const reply = await ask(t, node.hop, get(path, 'Accept: application/json'));
    assert.equal(reply.status, 200, reply.body.toString());
    return JSON.parse(reply.body.toString()) as View;
  };
  const names = async (path: string): Promise<readonly string[]> =>
    (await json(path)).entries.map(({ name }) => name);
  return { root, html, json, names };
}

/** Two folders and four files, of which no two orders are the same. */
function fill(root: string): void {
  for (const [name, size, seconds] of [
    ['b/', 0, 10],
    ['a/', 0, 20],
    ['x10', 5, 30],
    ['x2', 900, 40],
    ['Ä', 5, 5],
    ['y', 70, 15],
  ] as const) {
    const path = join(root, name);
    if (name.endsWith('/')) mkdirSync(path);
    else {
      writeFileSync(path, '');
      truncateSync(path, size);
    }
    utimesSync(path, seconds, seconds);
  }
}

test('sorted by name, size and time, both ways: folders first, and the same sizes by name', async (t) => {
  const { root, names } = await prepare(t);
  fill(root);
  for (const [query, expected] of [
    ['sort=name', 'a b Ä x2 x10 y'],
    ['sort=name&order=desc', 'b a y x10 x2 Ä'],
    ['sort=size', 'a b Ä x10 y x2'],
    ['sort=size&order=desc', 'a b x2 y Ä x10'],
    ['sort=time', 'b a Ä y x10 x2'],
    ['sort=time&order=desc', 'a b x2 x10 y Ä'],
  ] as const) {
    assert.equal((await names(`/?${query}`)).join(' '), expected, query);
  }
});

test('filtered by name, whatever its case and composition, also by what is shown of odd names', async (t) => {
  const { root, names } = await prepare(t);
  for (const name of ['Größe', 'GRO\u0308ẞE.txt', 'other', 'a+b', 'new\nline'])
    writeFileSync(join(root, name), '');
  writeFileSync(Buffer.concat([Buffer.from(`${root}/bad`), Buffer.of(0xff)]), '');
  mkdirSync(join(root, 'größer'));
  const filtered = (text: string): Promise<readonly string[]> => names(`/?q=${encodeURIComponent(text)}`);
  assert.deepEqual(await filtered('grö'), ['größer', 'Größe', 'GRO\u0308ẞE.txt']);
  assert.deepEqual(await filtered('A+B'), ['a+b']);
  assert.deepEqual(await filtered('\\xff'), ['bad\ufffd']);
  assert.deepEqual(await filtered('\\x0a'), ['new\nline']);
  assert.deepEqual(await filtered('nothing of this'), []);
});

test('the pages of every order have each entry once, and JSON says how many there are', async (t) => {
  const { root, json, names } = await prepare(t);
  const total = 2 * PAGE_ENTRIES + 50;
  for (let index = 0; index < total; index += 1)
    if (index % 2 === 0) mkdirSync(join(root, `d${index}`));
    else writeFileSync(join(root, `f${index}`), 'x'.repeat(index % 7));
  const whole = await names('/');
  for (const query of ['sort=name', 'sort=size', 'sort=time&order=desc']) {
    const seen: string[] = [];
    for (let page = 1; page <= 3; page += 1) {
      const view = await json(`/?${query}&page=${page}`);
      assert.deepEqual([view.page, view.pages, view.total], [page, 3, total]);
      assert.equal(view.entries.length, page === 3 ? 50 : PAGE_ENTRIES);
      seen.push(...view.entries.map(({ name }) => name));
    }
    if (query === 'sort=name') assert.deepEqual(seen, whole);
    else assert.deepEqual(seen.toSorted(), whole.toSorted(), query);
    assert.deepEqual(await names(`/?${query}&page=4`), []);
  }
  assert.equal((await json('/?q=f1&sort=size')).total, whole.filter((name) => name.includes('f1')).length);
  const all = await json('/');
  assert.deepEqual(Object.keys(all), ['path', 'entries'], 'as before without a query');
  assert.equal(all.entries.length, total);
});

test('shares take their places in every order', async (t) => {
  const { root, names } = await prepare(t, [{ name: 'middle', folder: tempFolder(t) }]);
  for (const name of ['a', 'z']) mkdirSync(join(root, name));
  for (const query of ['', '?sort=name', '?sort=size&order=desc', '?q=&sort=size'])
    assert.deepEqual(await names(`/${query}`), ['a', 'middle', 'z'], query);
  assert.deepEqual(await names('/?q=mid&sort=time'), ['middle']);
});

/** Links to files. */
function linksIn(reply: StrictReply): number {
  return reply.body.toString().match(/<a href="\.\/f\d+"/g)?.length ?? 0;
}

test('a browser gets pages with controls; a program that follows links the whole folder without', async (t) => {
  const { root, html } = await prepare(t);
  for (let index = 0; index <= PAGE_ENTRIES; index += 1) writeFileSync(join(root, `f${index}`), '');
  const browser = await html('/');
  assert.equal(linksIn(browser), PAGE_ENTRIES);
  assert.match(browser.body.toString(), /<form[^]*<nav aria-label="Pages"/);
  assert.equal(linksIn(await html('/?page=2')), 1);
  for (const accept of ['Accept: */*', 'User-Agent: rclone']) {
    const program = await html('/', accept);
    assert.equal(linksIn(program), PAGE_ENTRIES + 1);
    assert.doesNotMatch(program.body.toString(), /<form|href="[^"]*\?/);
    assert.equal(linksIn(await html('/?page=2', accept)), 1, 'but a page if it asks for one');
  }
});

test('the links of the controls keep the filter and the order, and change one thing', async (t) => {
  const { root, html } = await prepare(t);
  for (let index = 0; index < 3 * PAGE_ENTRIES; index += 1) writeFileSync(join(root, `a&b ${index}`), '');
  const page = (await html('/?q=a%26b&sort=size&order=desc&page=2')).body.toString();
  const links = [...page.matchAll(/href="(\.\/\?[^"]*)"/g)].map(([, href = '']) =>
    href.replaceAll('&amp;', '&'),
  );
  assert.deepEqual(links, [
    './?sort=size&order=desc',
    './?q=a%26b',
    './?q=a%26b&sort=size',
    './?q=a%26b&sort=time&order=desc',
    './?q=a%26b&sort=size&order=desc',
    './?q=a%26b&sort=size&order=desc',
    './?q=a%26b&sort=size&order=desc&page=3',
    './?q=a%26b&sort=size&order=desc&page=3',
  ]);
  assert.match(page, /name="q" value="a&amp;b"/);
  assert.match(page, /type="hidden" name="sort" value="size"><input type="hidden" name="order" value="desc"/);
  assert.match(page, /aria-sort="descending"><a [^>]*>Size/);
  assert.match(page, /251–500 of 750/);
});

test('a filter that finds nothing, a page that does not exist, an empty folder: one sentence each', async (t) => {
  const { root, html } = await prepare(t);
  mkdirSync(join(root, 'empty'));
  const text = async (path: string): Promise<string> => (await html(path)).body.toString();
  assert.match(await text('/?q=%3Cb%3E'), /No name contains “&lt;b&gt;”\./);
  assert.match(await text('/?page=9'), /There is no page 9\./);
  assert.match(await text('/empty/'), /This folder is empty\./);
  const wrong = await html('/?sort=color');
  assert.equal(wrong.status, 400);
  assert.match(wrong.body.toString(), /&quot;sort&quot; of the listing is none of name, size, time/);
});
