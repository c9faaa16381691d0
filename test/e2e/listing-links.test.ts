import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type HostHop, type NodeOptions, formatHop } from 'viaduct';
import { SECRET, linkTo } from '../support/links.js';
import { testNode } from '../support/nodes.js';
import { tempFolder } from '../support/temp.js';
import { ask, get } from '../support/wire-replies.js';

/** Two relays and an origin, each with a file in its root that says where it is. */
async function prepare(t: TestContext, options: Partial<NodeOptions> = {}) {
  const start = async (place: string, more: Partial<NodeOptions> = {}): Promise<HostHop> => {
    const root = tempFolder(t);
    writeFileSync(join(root, place), '');
    mkdirSync(join(root, 'a b/@c:1/d'), { recursive: true });
    return (await testNode(t, { root, ...more })).hop;
  };
  const [first, second, origin] = [await start('at-1'), await start('at-2'), await start('at-3', options)];
  const via = `/@${formatHop(second)}/@${formatHop(origin)}`;
  const page = async (path: string, ...fields: string[]): Promise<string> => {
    const reply = await ask(t, first, get(path, 'Accept: text/html', ...fields));
    assert.equal(reply.status, 200, path);
    return reply.body.toString();
  };
  return { first, origin, via, page };
}

interface Link {
  readonly text: string;
  /** Where it leads from the page. */
  readonly path: string | undefined;
}

/** The steps of the route or of the folders, of a page at a path. */
function steps(page: string, part: RegExp, path: string): readonly Link[] {
  const [html = ''] = part.exec(page) ?? assert.fail('the page has no such part');
  return [...html.matchAll(/<a href="([^"]*)"[^>]*>([^<]*)<\/a>|<span[^>]*>([^<]*)<\/span>/g)].map(
    ([, href, text, plain]) => ({
      text: text ?? plain ?? '',
      path: href === undefined ? undefined : new URL(href, `http://h${path}`).pathname,
    }),
  );
}

const ROUTE = /<nav aria-label="Route">.*<\/nav>/;
const FOLDERS = /<h1 .*<\/h1>/;
const FOLDER = '/a%20b/%40c:1/d/';

test('the steps of a page lead to the folders of the origin and to the other hops', async (t) => {
  const { origin, via, page } = await prepare(t);
  // Slashes and dots that mean nothing count in relative links.
  for (const folder of [FOLDER, '//a%20b/./%40c:1//d/']) {
    const path = `${via}${folder}`;
    const html = await page(`${path}?sort=size`);
    const route = steps(html, ROUTE, path);
    assert.deepEqual(
      route.map(({ text }) => text),
      ['hop 1', 'hop 2', formatHop(origin)],
    );
    for (const [index, link] of route.slice(0, -1).entries())
      assert.match(await page(link.path ?? ''), new RegExp(`>at-${index + 1}</a>`));
    const folders = steps(html, FOLDERS, path);
    assert.deepEqual(
      folders.map(({ text }) => text),
      ['/', 'a b', '@c:1'],
    );
    assert.match(await page(folders[0]?.path ?? ''), />at-3<\/a>/);
    assert.match(await page(folders[1]?.path ?? ''), />@c:1\/<\/a>/);
    assert.match(await page(folders[2]?.path ?? ''), />d\/<\/a>/);
  }
});

test('a page that came over a program of ours has no links to hops: its address is another one', async (t) => {
  const { via, page } = await prepare(t);
  const html = await page(`${via}${FOLDER}`, 'Via: 1.1 viaduct-client');
  const route = steps(html, ROUTE, FOLDER);
  assert.deepEqual(
    route.map(({ path }) => path),
    [undefined, undefined, undefined],
  );
  const folders = steps(html, FOLDERS, `/secret${FOLDER}`);
  assert.deepEqual(
    folders.map(({ path }) => path),
    ['/secret/', '/secret/a%20b/', '/secret/a%20b/%40c:1/'],
  );
});

test('a page behind a share link leads nowhere above what the link is for', async (t) => {
  const { via, page } = await prepare(t, { access: 'links', shareSecret: SECRET });
  const path = `${via}${linkTo('/a b', 'folder', FOLDER)}`;
  const html = await page(path);
  const hops = steps(html, ROUTE, path);
  assert.ok(hops.every((step) => step.path === undefined));
  const folders = steps(html, FOLDERS, path);
  assert.deepEqual(
    folders.map(({ text }) => text),
    ['a b', '@c:1'],
  );
  for (const link of folders) await page(link.path ?? '');
  assert.doesNotMatch(await page(`${via}${linkTo('/a b', 'folder', '/a%20b/')}`), /href="\.\.\//);
});
