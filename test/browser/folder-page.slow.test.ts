import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { formatHop } from 'viaduct';
import { httpChain } from '../support/http-chain.js';
import { ODD_NAMES, writeNames } from '../support/odd-names.js';
import { havePeer } from '../support/peers.js';
import { tempFolder } from '../support/temp.js';
import { startChromium } from './chromium.js';

const FILES = 600;
const PHONE = { width: 360, height: 740 };

/** A folder of three pages, one with odd names, and one without anything. */
function fill(root: string): void {
  for (const name of ['many', 'empty', 'odd']) mkdirSync(join(root, name));
  mkdirSync(join(root, 'many', 'a folder'));
  for (let index = 0; index < FILES; index += 1) {
    const path = join(root, 'many', `picture ${index}.jpg`);
    writeFileSync(path, '');
    truncateSync(path, (index * 7919) % 10_007);
    utimesSync(path, 1_000_000_000 + index, 1_000_000_000 + index);
  }
  writeNames(join(root, 'odd'), ODD_NAMES);
  writeFileSync(join(root, 'odd', '.hidden'), '');
}

async function namesOn(page: Page): Promise<readonly string[]> {
  return (await page.getByRole('cell').getByRole('link').allInnerTexts()).filter(
    (name) => name !== 'Parent folder',
  );
}

async function click(page: Page, link: string | RegExp): Promise<void> {
  await Promise.all([page.waitForEvent('load'), page.getByRole('link', { name: link }).first().click()]);
}

/** The luminance of a CSS colour `rgb(r, g, b)`, 0 to 255. */
function brightness(color: string): number {
  const [red = 0, green = 0, blue = 0] = (color.match(/\d+/g) ?? []).map(Number);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** What axe-core finds on a page. It needs scripts, so the page is looked at without its sandbox. */
async function violations(browser: Browser, url: string, dark: boolean): Promise<readonly string[]> {
  const context = await browser.newContext({ viewport: PHONE, colorScheme: dark ? 'dark' : 'light' });
  await context.route('**/*', async (route) => {
    const response = await route.fetch();
    const { 'content-security-policy': _, ...headers } = response.headers();
    await route.fulfill({ response, headers });
  });
  const page = await context.newPage();
  await page.goto(url);
  await page.evaluate(axe.source);
  const found = await page.evaluate<readonly string[]>(
    'axe.run().then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`)))',
  );
  await context.close();
  return found;
}

test('the page of a folder in Chromium, over three relays', async (t) => {
  if (!havePeer(t, 'chromium')) return;
  const root = tempFolder(t);
  fill(root);
  const [chain, browser] = await Promise.all([httpChain(t, root, 3), startChromium(t)]);
  const page = await browser.newPage();
  const many = chain.url('/many/');
  await page.goto(many);

  await t.test('the way to the folder: the hops apart from the folders', async () => {
    const route = page.getByRole('navigation', { name: 'Route' }).getByRole('listitem');
    assert.deepEqual(await route.allInnerTexts(), ['hop 1', 'hop 2', 'hop 3', formatHop(chain.origin.hop)]);
    assert.equal(await page.getByRole('heading').innerText(), '/many/');
    await click(page, 'hop 2');
    assert.equal(page.url(), chain.url('/').split('/@').slice(0, 2).join('/@') + '/');
    await page.goBack();
    await click(page, 'Top folder');
    assert.equal(page.url(), chain.url('/'));
    await click(page, 'many/');
    assert.equal(page.url(), many);
  });

  await t.test('sorted by a click, the other way by another one', async () => {
    await click(page, /^Size/);
    assert.equal(page.url(), `${many}?sort=size&order=desc`);
    const bySize = [...Array(FILES).keys()].toSorted((a, b) => ((b * 7919) % 10_007) - ((a * 7919) % 10_007));
    const [folder, ...files] = await namesOn(page);
    assert.equal(folder, 'a folder/');
    assert.deepEqual(
      files.slice(0, 20),
      bySize.slice(0, 20).map((index) => `picture ${index}.jpg`),
    );
    const header = page.getByRole('columnheader', { name: /^Size/ });
    assert.equal(await header.getAttribute('aria-sort'), 'descending');
    await click(page, /^Size/);
    assert.equal(await header.getAttribute('aria-sort'), 'ascending');
    await click(page, /^Modified/);
    assert.equal((await namesOn(page))[1], `picture ${FILES - 1}.jpg`);
  });

  await t.test('page by page, in the same order', async () => {
    await page.goto(many);
    const seen = [...(await namesOn(page))];
    assert.match(await page.getByRole('navigation', { name: 'Pages' }).innerText(), /1–250 of 601/);
    for (const expected of [250, 101]) {
      await click(page, 'Next');
      const names = await namesOn(page);
      assert.equal(names.length, expected);
      seen.push(...names);
    }
    assert.deepEqual(seen, [
      'a folder/',
      ...Array.from({ length: FILES }, (_, index) => `picture ${index}.jpg`),
    ]);
    assert.equal(await page.getByRole('link', { name: 'Next' }).count(), 0);
    await click(page, 'First');
    assert.equal((await namesOn(page))[0], 'a folder/');
  });

  await t.test('filtered by the keyboard alone, in the order of before, and all again', async () => {
    await page.goto(`${many}?sort=time&order=desc`);
    const box = page.getByRole('searchbox', { name: 'Filter by name' });
    await box.focus();
    await page.keyboard.type('Picture 59');
    await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')]);
    assert.equal(page.url(), `${many}?q=Picture+59&sort=time&order=desc`);
    assert.equal(await box.inputValue(), 'Picture 59');
    assert.deepEqual(
      await namesOn(page),
      [...Array.from({ length: 10 }, (_, index) => 599 - index), 59].map((index) => `picture ${index}.jpg`),
    );
    await click(page, 'Clear');
    assert.equal(page.url(), `${many}?sort=time&order=desc`);
    // By Tab alone: everything that can be done is in the order of the page, and is seen to have the focus.
    await page.goto(many);
    const stops: string[] = [];
    for (let count = 0; count < 13; count += 1) {
      await page.keyboard.press('Tab');
      const focused = page.locator(':focus-visible');
      stops.push((await focused.innerText()) || ((await focused.getAttribute('aria-label')) ?? ''));
      const outline = 'getComputedStyle(document.activeElement).outlineStyle';
      assert.equal(await page.evaluate(outline), 'solid');
    }
    assert.deepEqual(stops, [
      'hop 1',
      'hop 2',
      'hop 3',
      '/',
      'tar',
      'zip',
      'Filter by name',
      'Filter',
      'Name ↑',
      'Size',
      'Modified (UTC)',
      'Parent folder',
      'a folder/',
    ]);
  });

  await t.test('downloaded whole, as an archive', async () => {
    await page.goto(`${many}?sort=time&order=desc`);
    for (const kind of ['tar', 'zip']) {
      const button = page.getByRole('button', { name: kind });
      const [download] = await Promise.all([page.waitForEvent('download'), button.click()]);
      assert.equal(download.suggestedFilename(), `many.${kind}`);
      assert.ok(readFileSync(await download.path()).includes('many/picture 59.jpg'));
    }
  });

  await t.test(
    'dark where the reader likes it, and narrow on a phone, without scrolling sideways',
    async () => {
      const ground = (): Promise<string> => page.evaluate('getComputedStyle(document.body).backgroundColor');
      for (const [colorScheme, isDark] of [
        ['light', false],
        ['dark', true],
      ] as const) {
        await page.emulateMedia({ colorScheme });
        assert.equal(brightness(await ground()) < 128, isDark, colorScheme);
      }
      await page.setViewportSize(PHONE);
      for (const path of ['/many/', '/odd/', '/missing/']) {
        await page.goto(chain.url(path));
        assert.equal(await page.evaluate('document.documentElement.scrollWidth'), PHONE.width, path);
      }
    },
  );

  await t.test('axe-core finds nothing', async () => {
    for (const path of [
      '/',
      '/many/',
      '/many/?sort=size&order=desc&page=2',
      '/many/?q=nothing',
      '/odd/',
      '/empty/',
      '/missing',
    ])
      for (const dark of [false, true])
        assert.deepEqual(await violations(browser, chain.url(path), dark), [], path);
  });
});
