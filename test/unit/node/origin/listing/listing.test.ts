import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import * as fc from 'fast-check';
import { escapeHtml } from '#src/html.js';
import { shownName } from '#src/node/origin/listing/shown-name.js';
import { ODD_NAMES, writeNames } from '../../../../support/odd-names.js';
import { testNode } from '../../../../support/nodes.js';
import { tempFolder } from '../../../../support/temp.js';
import { type StrictReply, ask, get } from '../../../../support/wire-replies.js';
import { anyCharacter } from '../../../../support/arbitraries.js';

interface Listing {
  readonly path: string;
  readonly entries: readonly {
    readonly name: string;
    readonly type: 'file' | 'folder';
    readonly size?: number;
    readonly modified: string;
  }[];
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  '#39': "'",
  '#13': '\r',
};

/** Text as a reader of HTML sees it. */
function shown(html: string): string {
  return html.replace(/&([^;]*);/g, (_, entity: string) => ENTITIES[entity] ?? assert.fail(entity));
}

/** The links of the table: where to, and what they are called. */
function linksOf({ body }: StrictReply): readonly (readonly [string, string])[] {
  const [, rows = ''] = body.toString().split('<tbody>');
  const links = rows.matchAll(/<a href="([^"]*)"[^>]*>([^<]*)<\/a>/g);
  return [...links].map(([, href = '', text = '']) => [shown(href), shown(text)] as const);
}

async function prepare(t: TestContext, options: { dotfiles?: boolean } = {}) {
  const root = tempFolder(t);
  const node = await testNode(t, { root, ...options });
  const page = (path: string): Promise<StrictReply> => ask(t, node.hop, get(path, 'Accept: text/html'));
  const json = async (path: string): Promise<Listing> => {
    const reply = await ask(t, node.hop, get(path, 'Accept: application/json'));
    assert.equal(reply.fields['content-type'], 'application/json');
    return JSON.parse(reply.body.toString()) as Listing;
  };
  return { root, page, json, hop: node.hop };
}

test('folders first, then by name, with numbers as numbers; size and time', async (t) => {
  const { root, json, page } = await prepare(t);
  for (const folder of ['zoo', 'Alpha']) mkdirSync(join(root, folder));
  for (const name of ['b10', 'b2', 'a', 'ä', 'C']) writeFileSync(join(root, name), name);
  const time = new Date('2001-02-03T04:05:06Z');
  utimesSync(join(root, 'b10'), time, time);
  const { path, entries } = await json('/');
  assert.equal(path, '/');
  assert.deepEqual(
    entries.map(({ name, type }) => [name, type]),
    [
      ['Alpha', 'folder'],
      ['zoo', 'folder'],
      ['a', 'file'],
      ['ä', 'file'],
      ['b2', 'file'],
      ['b10', 'file'],
      ['C', 'file'],
    ],
  );
  assert.deepEqual(entries[5], { name: 'b10', type: 'file', size: 3, modified: '2001-02-03T04:05:06.000Z' });
  assert.equal(entries[0]?.size, undefined);
  const html = await page('/');
  assert.deepEqual(
    linksOf(html).map(([, text]) => text),
    ['Alpha/', 'zoo/', 'a', 'ä', 'b2', 'b10', 'C'],
  );
  assert.match(html.body.toString(), /<data value="3"[^]*<time datetime="2001-02-03T04:05:06\.000Z">/);
  assert.equal(html.fields['vary'], 'Accept');
});

test('leaves out what is not served', async (t) => {
  const { root, json } = await prepare(t);
  const outside = tempFolder(t);
  writeFileSync(join(outside, 'secret'), 'secret');
  mkdirSync(join(root, 'folder/.viaduct'), { recursive: true });
  for (const name of ['file', '.dot', '.viaduct']) writeFileSync(join(root, name), '');
  for (const [to, name] of [
    ['file', 'link'],
    ['folder', 'link to folder'],
    ['.', 'self'],
    ['missing', 'broken'],
    ['.dot', 'link to hidden'],
    ['loop', 'loop'],
    [outside, 'out'],
    [join(outside, 'secret'), 'secret'],
    ['/dev/zero', 'zero'],
    ['fifo', 'link to fifo'],
  ] as const) {
    symlinkSync(to, join(root, name));
  }
  execFileSync('mkfifo', [join(root, 'fifo')]);
  assert.deepEqual(
    (await json('/')).entries.map(({ name, type }) => [name, type]),
    [
      ['folder', 'folder'],
      ['link to folder', 'folder'],
      ['self', 'folder'],
      ['file', 'file'],
      ['link', 'file'],
    ],
  );
  assert.deepEqual((await json('/folder/')).entries, []);
});

test('has dotfiles with the option, but never .viaduct below the root', async (t) => {
  const { root, json } = await prepare(t, { dotfiles: true });
  for (const folder of ['.viaduct', 'sub/.viaduct']) mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, '.dot'), '');
  const names = async (path: string): Promise<readonly string[]> =>
    (await json(path)).entries.map(({ name }) => name);
  assert.deepEqual(await names('/'), ['sub', '.dot']);
  assert.deepEqual(await names('/sub/'), ['.viaduct']);
});

test('every odd name is a link that leads to its file, from a browser and in JSON', async (t) => {
  const { root, page, json, hop } = await prepare(t);
  const names = [...ODD_NAMES, '@x:1', '@h3:1', 'new\nline', '\u001b[31m', '\u202etxt', '<table>'];
  writeNames(root, names);
  assert.deepEqual(
    (await json('/')).entries.map(({ name }) => name).toSorted(),
    [...new Set(names)].toSorted(),
  );
  const links = linksOf(await page('/'));
  assert.deepEqual(
    links.map(([, text]) => text).toSorted(),
    [...new Set(names)].map((name) => shownName(name)).toSorted(),
  );
  for (const [href] of links) {
    const name = decodeURIComponent(href.slice(2));
    assert.match(href, /^\.\/[\x21-\x7e]+$/);
    assert.doesNotMatch(href.slice(2), /[/@:?#]/);
    const url = new URL(href, 'http://h1:1/@h2:2/');
    assert.match(url.pathname, /^\/@h2:2\/[^@]+$/);
    const path = url.pathname.slice('/@h2:2'.length);
    const { status, body } = await ask(t, hop, get(path));
    assert.deepEqual([status, body.toString()], [200, `this is ${JSON.stringify(name)}\n`]);
  }
});

test('a name that is no UTF-8 does no harm', async (t) => {
  const { root, json } = await prepare(t);
  writeFileSync(Buffer.concat([Buffer.from(`${root}/a`), Buffer.of(0xff)]), '');
  writeFileSync(join(root, 'b'), '');
  assert.deepEqual(
    (await json('/')).entries.map(({ name }) => name).filter((name) => name === 'b'),
    ['b'],
  );
});

test('a folder has a link to its parent, the root none; names of folders end with a slash', async (t) => {
  const { root, page, json } = await prepare(t);
  mkdirSync(join(root, 'a & b/<c>'), { recursive: true });
  assert.deepEqual(linksOf(await page('/')), [['./a%20%26%20b/', 'a & b/']]);
  const inner = await page('/a%20&%20b/');
  assert.deepEqual(linksOf(inner), [
    ['../', 'Parent folder'],
    ['./%3Cc%3E/', '<c>/'],
  ]);
  assert.match(inner.body.toString(), /<title>[^<]+\/a &amp; b\/<\/title>/);
  assert.match(inner.body.toString(), /<h1 id="path"><a href="\.\.\/"[^>]*>\/<\/a>a &amp; b\/<\/h1>/);
  assert.equal((await json('/a%20%26%20b/%3Cc%3E/')).path, '/a & b/<c>/');
});

test('works without script, image or font of anybody', async (t) => {
  const { root, page } = await prepare(t);
  writeNames(
    root,
    ODD_NAMES.filter((name) => /[<&"']/.test(name)),
  );
  const html = (await page('/')).body.toString();
  assert.doesNotMatch(
    html,
    /<script|<link|<img|<iframe|\son[a-z]+=|javascript:|url\(|@import|href="(?!\.|#)/i,
  );
});

describe('the form goes by Accept', () => {
  for (const [accept, type] of [
    ['', 'text/html; charset=utf-8'],
    ['*/*', 'text/html; charset=utf-8'],
    ['application/json', 'application/json'],
    ['application/*', 'application/json'],
    ['text/html;q=0.5, application/json', 'application/json'],
    ['text/html, application/json', 'text/html; charset=utf-8'],
    ['image/png', 'text/html; charset=utf-8'],
  ] as const) {
    test(`"${accept}" is ${type}`, async (t) => {
      const { hop } = await prepare(t);
      const fields = accept === '' ? [] : [`Accept: ${accept}`];
      const reply = await ask(t, hop, get('/', ...fields));
      assert.deepEqual([reply.status, reply.fields['content-type']], [200, type]);
    });
  }
});

test('escaped text is read as it was, in content and in quoted attributes', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: anyCharacter }), fc.constantFrom('&amp;', '&#39;', '"><x', 'a\rb\r\n')),
      (text) => {
        const html = escapeHtml(text);
        assert.doesNotMatch(html, /[<>"']|&(?!(?:amp|lt|gt|quot|#39|#13);)|\r/);
        assert.equal(shown(html), text);
      },
    ),
  );
});
