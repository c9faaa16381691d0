import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { urlOf } from '../support/http.js';
import { type HttpChain, httpChain } from '../support/http-chain.js';
import { havePeer } from '../support/peers.js';
import { NodeProcess } from '../support/processes.js';
import { tempFolder } from '../support/temp.js';
import { startChromium } from './chromium.js';

const SECRET = 'only for those who ask this hop';

/** Each way to run a script tells of itself by a request. */
const WAYS = ['inline', 'handler', 'external', 'module', 'frame'];
const ran = (way: string): string => `new Image().src = './ran-${way}'`;
const BODY = `
  <script>${ran('inline')}</script>
  <script src="./external.js"></script>
  <script type="module">${ran('module')}</script>
  <img src="data:," onerror="${ran('handler')}" alt=""/>
  <iframe src="./frame.html"></iframe>`;
const PAGES = {
  'page.html': `<!doctype html><title>page</title>${BODY}`,
  'page.xhtml': `<html xmlns="http://www.w3.org/1999/xhtml"><head><title>page</title></head><body>${BODY}</body></html>`,
  'page.svg': `<svg xmlns="http://www.w3.org/2000/svg"><title>page</title><foreignObject><body xmlns="http://www.w3.org/1999/xhtml">${BODY}</body></foreignObject></svg>`,
  // Of types that keep their origin, and are none of them.
  ...Object.fromEntries(
    ['txt', 'mp4', 'png'].map((type) => [`page.${type}`, `<!doctype html><title>page</title>${BODY}`]),
  ),
};

interface Hops {
  readonly browser: Browser;
  /** Two relays and an origin whose files are hostile. */
  readonly hostile: HttpChain;
  /** Over the same relays, a file of another origin. */
  readonly secretUrl: string;
}

async function startHops(t: TestContext): Promise<Hops> {
  const [root, secretRoot] = [tempFolder(t), tempFolder(t)];
  for (const [name, text] of Object.entries(PAGES)) writeFileSync(join(root, name), text);
  writeFileSync(join(root, 'external.js'), ran('external'));
  writeFileSync(join(root, 'worker.js'), ran('worker'));
  writeFileSync(join(root, 'frame.html'), `<script>${ran('frame')}</script>`);
  writeFileSync(join(secretRoot, 'secret.html'), `<p>${SECRET}</p>`);
  const [hostile, other, browser] = await Promise.all([
    httpChain(t, root, 2),
    NodeProcess.start(t, { root: secretRoot }),
    startChromium(t),
  ]);
  const relays = hostile.nodes.slice(0, -1).map(({ hop }) => hop);
  return { browser, hostile, secretUrl: urlOf([...relays, other.hop], '/secret.html') };
}

/** What the page of a URL has run, once all that it loads has come. */
async function ways(browser: Browser, url: string): Promise<readonly string[]> {
  const page = await browser.newPage();
  const told: string[] = [];
  page.on('request', (request) => told.push(...(/\/ran-(\w+)$/.exec(request.url())?.slice(1) ?? [])));
  await page.goto(url);
  await page.close();
  return told.toSorted();
}

test('no page of a hop runs scripts in Chromium, and none reads what another hop has', async (t) => {
  if (!havePeer(t, 'chromium')) return;
  const { browser, hostile, secretUrl } = await startHops(t);

  for (const name of Object.keys(PAGES)) {
    await t.test(`${name}: neither inline, nor handlers, nor files, nor frames`, async () => {
      assert.deepEqual(await ways(browser, hostile.url(`/${name}`)), []);
    });
  }

  await t.test('the same page runs them all where an ordinary server sends it', async () => {
    const context = await browser.newContext();
    await context.route('**/*', async (route) => {
      const { pathname } = new URL(route.request().url());
      const reply = await route.fetch({ url: hostile.url(pathname) });
      await route.fulfill({
        response: reply,
        headers: { 'content-type': reply.headers()['content-type'] ?? '' },
      });
    });
    const page = await context.newPage();
    const told = new Set<string>();
    page.on('request', (request) => told.add(/\/ran-(\w+)$/.exec(request.url())?.[1] ?? ''));
    await page.goto('http://ordinary.test/page.html');
    assert.deepEqual([...told].filter(Boolean).toSorted(), WAYS.toSorted());
    await context.close();
  });

  await t.test('what a script would get, if one ran', async () => {
    const page = await browser.newPage();
    for (const path of ['/page.html', '/', '/nothing']) {
      await page.goto(hostile.url(path));
      assert.equal(await page.evaluate('self.origin'), 'null', path);
      assert.equal(await page.evaluate(fetching(secretUrl)), 'TypeError', 'fetch');
      assert.equal(await framed(page, secretUrl), 'null', 'a frame');
      assert.equal(
        await page.evaluate('try { document.cookie } catch (error) { error.name }'),
        'SecurityError',
      );
      assert.equal(await page.evaluate('try { localStorage } catch (error) { error.name }'), 'SecurityError');
    }
    await page.goto(secretUrl);
    assert.equal(await page.getByText(SECRET).count(), 1, 'it is there for whoever opens it');
  });

  await t.test('no service worker registers', async () => {
    const page = await browser.newPage();
    await page.goto(hostile.url('/page.html'));
    const worker = `(async () => navigator.serviceWorker.register('./worker.js'))().then(String, ({ name }) => name)`;
    assert.equal(await page.evaluate(worker), 'SecurityError');
  });

  await t.test(
    'a request for the script of a service worker gets 403, at a relay and at the origin',
    async () => {
      const page = await browser.newPage();
      const status = async (url: string): Promise<number> =>
        (await page.request.get(url, { headers: { 'Service-Worker': 'script' } })).status();
      assert.equal(await status(hostile.url('/worker.js')), 403);
      assert.equal(await status(urlOf([hostile.origin.hop], '/worker.js')), 403);
    },
  );
});

/** A script that tries to read a URL: what it got, or the error's name. */
function fetching(url: string): string {
  return `fetch(${JSON.stringify(url)}).then((reply) => reply.text()).catch(({ name }) => name)`;
}

/** Puts a URL into a frame of the page and tries to read it from the page. */
async function framed(page: Page, url: string): Promise<unknown> {
  const loaded = page.waitForEvent('framenavigated', (frame) => frame.url() === url);
  await page.evaluate(`{
    const frame = document.createElement('iframe');
    frame.id = 'framed';
    frame.src = ${JSON.stringify(url)};
    document.body.append(frame);
  }`);
  const frame = await loaded;
  await frame.getByText(SECRET).waitFor();
  return page.evaluate(`String(document.getElementById('framed').contentDocument)`);
}
