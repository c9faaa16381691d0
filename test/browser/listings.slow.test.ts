import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { formatHop } from 'viaduct';
import { shownName } from '#src/node/origin/listing/shown-name.js';
import { httpChain } from '../support/http-chain.js';
import { CONTROL_NAMES, ODD_NAMES, writeNames } from '../support/odd-names.js';
import { havePeer } from '../support/peers.js';
import { randomFile, sha256, tempFolder } from '../support/temp.js';
import { startChromium } from './chromium.js';

const MIB = 1024 * 1024;
const RELAYS = 2;
const FOLDER = '100% of #1?';

/** Clicks on a link of a listing and returns the heading of what comes. */
async function enter(page: Page, link: string): Promise<string> {
  const [response] = await Promise.all([
    page.waitForEvent('response', (got) => got.request().isNavigationRequest()),
    page.getByRole('link', { name: link, exact: true }).click(),
  ]);
  await response.finished();
  await page.waitForLoadState();
  return page.getByRole('heading').innerText();
}

test('Chromium walks through folders over two relays', async (t) => {
  if (!havePeer(t, 'chromium')) return;
  const root = tempFolder(t);
  const bytes = randomFile(root, 'picture "of" 5 MiB.bin', 5 * MIB);
  mkdirSync(join(root, 'a folder', FOLDER), { recursive: true });
  writeFileSync(join(root, 'a folder', FOLDER, 'größe & <b>more.txt'), 'Größe: 5 €\n');
  writeNames(join(root, '@h3:1'), [...ODD_NAMES, ...CONTROL_NAMES]);
  const [chain, browser] = await Promise.all([httpChain(t, root, RELAYS), startChromium(t)]);
  const page = await browser.newPage();
  const route = chain.url('');
  await page.goto(chain.url('/'));

  await t.test('a listing is a table with a heading and links that say where they lead', async () => {
    assert.equal(await page.locator('html').getAttribute('lang'), 'en');
    assert.equal(await page.title(), `${formatHop(chain.origin.hop)}/`);
    assert.deepEqual(await page.getByRole('columnheader').allInnerTexts(), [
      'Name ↑',
      'Size',
      'Modified (UTC)',
    ]);
    const links = await page.getByRole('cell').getByRole('link').allInnerTexts();
    assert.deepEqual(links, ['@h3:1/', 'a folder/', 'picture "of" 5 MiB.bin'], 'no parent link at the root');
    const row = page.getByRole('row', { name: 'picture "of" 5 MiB.bin' });
    assert.match(await row.innerText(), /^picture "of" 5 MiB\.bin\s+5\.00 MiB\s+\d{4}-\d\d-\d\d \d\d:\d\d$/);
  });

  await t.test('into folders, to a file, and back', async () => {
    assert.equal(await enter(page, 'a folder/'), '/a folder/');
    assert.equal(page.url(), `${route}/a%20folder/`);
    assert.equal(await enter(page, `${FOLDER}/`), `/a folder/${FOLDER}/`);
    await page.getByRole('link', { name: 'größe' }).click();
    await page.getByText('Größe: 5 €').waitFor();
    await page.goBack();
    assert.equal(await enter(page, 'Parent folder'), '/a folder/');
    assert.equal(await enter(page, 'Parent folder'), '/');
    assert.equal(page.url(), `${route}/`);
  });

  await t.test('a folder without its slash: the redirect keeps the route', async () => {
    await page.goto(chain.url('/a%20folder'));
    assert.equal(page.url(), `${route}/a%20folder/`);
    await page.goto(chain.url('/@h3%3A1'));
    assert.equal(page.url(), `${route}/%40h3%3A1/`);
    await page.goto(chain.url('/'));
  });

  await t.test('a file is saved with its name and every byte', async () => {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'picture' }).click(),
    ]);
    const path = join(tempFolder(t), 'saved');
    await download.saveAs(path);
    assert.equal(
      download.suggestedFilename(),
      'picture _of_ 5 MiB.bin',
      'Chromium has its own mind on quotes',
    );
    assert.equal(sha256(readFileSync(path)), sha256(bytes));
  });

  await t.test('every odd name has a link that leads to its file', async () => {
    assert.equal(await enter(page, '@h3:1/'), '/@h3:1/');
    const links = await page.getByRole('cell').getByRole('link').all();
    const names: string[] = [];
    for (const link of links.slice(1)) {
      const url = new URL((await link.getAttribute('href')) ?? '', page.url());
      const [folder, name = ''] = url.href.split('/%40h3%3A1/');
      assert.equal(folder, route);
      names.push(decodeURIComponent(name));
      assert.equal(await link.textContent(), shownName(decodeURIComponent(name)));
      const reply = await page.request.get(url.href);
      assert.equal(await reply.text(), `this is ${JSON.stringify(names.at(-1))}\n`);
    }
    assert.deepEqual(new Set(names), new Set([...ODD_NAMES, ...CONTROL_NAMES]));
  });
});

test('Chromium shows which hop failed, and why', async (t) => {
  if (!havePeer(t, 'chromium')) return;
  const [chain, browser] = await Promise.all([httpChain(t, tempFolder(t), RELAYS), startChromium(t)]);
  const page = await browser.newPage();

  const missing = await page.goto(chain.url('/not%20%3Chere%3E'));
  assert.equal(missing?.status(), 404);
  assert.equal(await page.title(), '404 Not Found');
  assert.equal(await page.getByRole('heading').innerText(), '404 Not Found');
  const { hop } = chain.origin;
  const text = await page.getByRole('paragraph').first().innerText();
  assert.equal(text, `Hop 3 (${formatHop(hop)}): there is no file "not <here>".`);
  await page.goto(chain.url('/folder/missing/'));
  const [back] = await Promise.all([
    page.waitForEvent('response', (got) => got.request().isNavigationRequest()),
    page.getByRole('link', { name: 'Back to the folder' }).click(),
  ]);
  assert.equal(back.url(), chain.url('/folder/'));

  chain.origin.process.kill('SIGKILL');
  await chain.origin.ended;
  const refused = await page.goto(chain.url('/'));
  assert.equal(refused?.status(), 502);
  assert.equal(await page.getByRole('heading').innerText(), '502 Bad Gateway');
  assert.equal(
    await page.getByRole('paragraph').innerText(),
    `Hop 3 (${formatHop(hop)}) refused the connection.`,
  );
});
