import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { urlOf } from '../support/http.js';
import { SECRET, linkTo } from '../support/links.js';
import { testNode } from '../support/nodes.js';
import { havePeer } from '../support/peers.js';
import { tempFolder } from '../support/temp.js';
import { startChromium } from './chromium.js';
import { mediaPosition, wav, webm } from './media.js';

async function enter(page: Page, link: string): Promise<string> {
  await Promise.all([page.waitForNavigation(), page.getByRole('link', { name: link, exact: true }).click()]);
  return page.getByRole('heading').innerText();
}

test('Chromium walks through a shared folder over two relays, and plays what is in it', async (t) => {
  if (!havePeer(t, 'chromium')) return;
  const root = tempFolder(t);
  mkdirSync(join(root, 'photos', '2024'), { recursive: true });
  writeFileSync(join(root, 'photos', '2024', 'note.txt'), 'a note\n');
  writeFileSync(join(root, 'photos', 'sound.wav'), wav());
  const [first, second, origin] = await Promise.all([
    testNode(t, { root: tempFolder(t) }),
    testNode(t, { root: tempFolder(t) }),
    testNode(t, { root, access: 'links', shareSecret: SECRET }),
  ]);
  const base = urlOf([first.hop, second.hop, origin.hop], '');
  const browser = await startChromium(t);
  writeFileSync(join(root, 'photos', 'film.webm'), await webm(browser));
  const shared = base + linkTo('/photos', 'folder', '/photos/');
  const page = await browser.newPage();
  const referers: string[] = [];
  page.on('request', (request) => referers.push(request.headers()['referer'] ?? ''));
  // Without its slash: the redirect keeps the token.
  await page.goto(shared.slice(0, -1));
  assert.equal(page.url(), shared);
  assert.deepEqual(await page.getByRole('cell').getByRole('link').allInnerTexts(), [
    '2024/',
    'film.webm',
    'sound.wav',
  ]);
  assert.equal(await enter(page, '2024/'), '/photos/2024/');
  await page.getByRole('link', { name: 'note.txt' }).click();
  await page.getByText('a note').waitFor();
  await page.goBack();
  assert.equal(await enter(page, 'Parent folder'), '/photos/');
  assert.equal(page.url(), shared);
  await page.goto(`${shared}sound.wav`);
  assert.equal(await mediaPosition(page, 25), 25);
  await page.goto(`${shared}film.webm`);
  assert.equal(await mediaPosition(page, 0.2), 0.2);
  const refused = await page.goto(base + linkTo('/photos', 'folder', '/'));
  assert.equal(refused?.status(), 403);
  assert.equal(await page.getByRole('link').count(), 0);
  assert.deepEqual(new Set(referers), new Set(['']), 'no page is named to another');
});
