import assert from 'node:assert/strict';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import { type HostHop, formatHop } from 'viaduct';
import { testGateway } from '../support/gateway.js';
import { testNode } from '../support/nodes.js';
import { havePeer } from '../support/peers.js';
import { RestartableNode } from '../support/restartable.js';
import { randomFile, sparseFile, tempFolder } from '../support/temp.js';
import { startChromium } from './chromium.js';
import { SECONDS, mediaPosition, wav, webm } from './media.js';

const MIB = 1024 * 1024;

/** Three relays, of which the second can be restarted, and an origin. */
async function chain(t: TestContext, root: string) {
  const [first, middle, third, origin] = await Promise.all([
    testNode(t),
    RestartableNode.start(t, tempFolder(t)),
    testNode(t),
    testNode(t, { root }),
  ]);
  const route: readonly HostHop[] = [first.hop, middle.hop, third.hop, origin.hop];
  return { route, middle };
}

async function enter(page: Page, link: string): Promise<void> {
  await Promise.all([page.waitForNavigation(), page.getByRole('link', { name: link }).first().click()]);
}

test('Chromium walks through a folder, and plays and seeks what is in it', async (t) => {
  if (!havePeer(t, 'chromium')) return;
  const root = tempFolder(t);
  mkdirSync(join(root, 'photos', 'a folder'), { recursive: true });
  writeFileSync(join(root, 'photos', 'a folder', 'größe.txt'), 'a note\n');
  writeFileSync(join(root, 'photos', 'sound.wav'), wav());
  const [{ route }, browser] = await Promise.all([chain(t, root), startChromium(t)]);
  writeFileSync(join(root, 'photos', 'film.webm'), await webm(browser));
  const gateway = await testGateway(t, { route, path: '/photos/' });
  const page = await browser.newPage();
  const referers: string[] = [];
  page.on('request', (request) => referers.push(request.headers()['referer'] ?? ''));
  await page.goto(gateway.url);
  await enter(page, 'a folder/');
  assert.equal(page.url(), `${gateway.url}a%20folder/`);
  await page.getByRole('link', { name: 'größe.txt' }).click();
  await page.getByText('a note').waitFor();
  await page.goBack();
  await page.goBack();
  assert.equal(page.url(), gateway.url);

  await page.goto(`${gateway.url}sound.wav`);
  assert.equal(await mediaPosition(page, SECONDS - 5), SECONDS - 5);
  await page.goto(`${gateway.url}film.webm`);
  assert.equal(await mediaPosition(page, 0.2), 0.2);
  assert.deepEqual(new Set(referers), new Set(['']), 'no page is named to another');
});

test('the status page is live: transfers, and a hop that fails and comes back', async (t) => {
  if (!havePeer(t, 'chromium')) return;
  const root = tempFolder(t);
  sparseFile(root, 'large.bin', 512 * MIB);
  randomFile(root, 'small <b>.bin', 1000);
  const [{ route, middle }, browser] = await Promise.all([chain(t, root), startChromium(t)]);
  const gateway = await testGateway(t, { route, path: '/' });
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on('pageerror', ({ message }) => errors.push(message));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  await page.goto(gateway.statusUrl);
  const [routeTable] = await page.getByRole('table').all();
  assert.equal(await routeTable?.getByRole('row').count(), 5, 'a heading and four hops');
  await page.getByText('The route works.').waitFor();
  await page.getByText('Nothing has been fetched yet.').waitFor();

  // Read slowly, so that it is seen while it is under way.
  const abort = new AbortController();
  t.after(() => abort.abort());
  const reader = (await fetch(`${gateway.url}large.bin`, { signal: abort.signal })).body?.getReader();
  await reader?.read();
  await page.getByRole('progressbar', { name: '/large.bin' }).waitFor();
  await page.getByText('of 512 MiB').waitFor();
  await fetch(`${gateway.url}small%20%3Cb%3E.bin`).then((reply) => reply.arrayBuffer());
  const small = page.getByRole('row', { name: '/small <b>.bin' });
  await small.getByText('complete, verified').waitFor();

  await middle.kill();
  await page.getByText(/The route does not work: hop 2 .* refused the connection/).waitFor();
  await page
    .getByRole('row', { name: formatHop(middle.hop) })
    .getByText('down')
    .waitFor();
  await middle.start();
  await page.getByText('The route works.').waitFor();
  assert.deepEqual(errors, []);

  await enter(page, 'Open');
  assert.equal(page.url(), gateway.url);
});

test('without scripts the status page is as right', async (t) => {
  if (!havePeer(t, 'chromium')) return;
  const [{ route }, browser] = await Promise.all([chain(t, tempFolder(t)), startChromium(t)]);
  const gateway = await testGateway(t, { route, path: '/' });
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(gateway.statusUrl);
  await page.getByText('The route works.').waitFor();
  assert.equal(await page.getByRole('row').count(), 5);
  await fetch(gateway.url).then((reply) => reply.arrayBuffer());
  await page.getByRole('row', { name: 'complete' }).waitFor();
});

test('a page that could not be loaded loads by itself once the route is back', async (t) => {
  if (!havePeer(t, 'chromium')) return;
  const root = tempFolder(t);
  writeFileSync(join(root, 'note.txt'), 'a note\n');
  const [{ route, middle }, browser] = await Promise.all([chain(t, root), startChromium(t)]);
  const gateway = await testGateway(t, { route, path: '/' });
  const page = await browser.newPage();
  await middle.kill();
  const failed = await page.goto(`${gateway.url}note.txt`);
  assert.equal(failed?.status(), 502);
  assert.match(
    await page.getByRole('main').innerText(),
    /Hop 2 \(127\.0\.0\.1:\d+\) refused the connection\./,
  );
  await middle.start();
  await page.getByText('a note').waitFor();
});

test('a download goes on where a hop died', async (t) => {
  if (!havePeer(t, 'chromium')) return;
  const root = tempFolder(t);
  const size = 256 * MIB;
  sparseFile(root, 'large.bin', size);
  const [{ route, middle }, browser] = await Promise.all([chain(t, root), startChromium(t)]);
  const gateway = await testGateway(t, { route, path: '/' });
  const page = await browser.newPage();
  await page.goto(gateway.url);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'large.bin' }).click(),
  ]);
  await middle.kill();
  await gateway.event('retry');
  await middle.start();
  const target = join(tempFolder(t), 'saved');
  await download.saveAs(target);
  assert.equal(statSync(target).size, size);
  assert.equal(await download.failure(), null);
});

test('status pages in the background leave the browser its connections', async (t) => {
  if (!havePeer(t, 'chromium')) return;
  const root = tempFolder(t);
  writeFileSync(join(root, 'note.txt'), 'a note');
  const [{ hop }, browser] = await Promise.all([testNode(t, { root }), startChromium(t)]);
  const gateway = await testGateway(t, { route: [hop], path: '/' });
  const context = await browser.newContext();
  // Six, of which each has its connection until it is in the background. Without a window no tab ever is: the page is told so.
  const pages: Page[] = [];
  for (let count = 0; count < 6; count += 1) {
    const page = await context.newPage();
    const following = page.waitForRequest(`${gateway.statusUrl}events`);
    await page.goto(gateway.statusUrl);
    await following;
    pages.push(page);
    await page.evaluate(`
      Object.defineProperty(document, 'hidden', { configurable: true, value: true });
      document.dispatchEvent(new Event('visibilitychange'));`);
  }
  const page = await context.newPage();
  await page.goto(`${gateway.url}note.txt`);
  await page.getByText('a note').waitFor();
  // And goes on when it is seen again.
  const [first = assert.fail()] = pages;
  await first.evaluate(`
    Object.defineProperty(document, 'hidden', { value: false });
    document.dispatchEvent(new Event('visibilitychange'));`);
  await first.getByText('/note.txt').waitFor();
});
