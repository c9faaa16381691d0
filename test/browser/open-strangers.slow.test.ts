import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type IncomingMessage, type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { testGateway } from '../support/gateway.js';
import { testNode } from '../support/nodes.js';
import { havePeer } from '../support/peers.js';
import { tempFolder } from '../support/temp.js';
import { startChromium } from './chromium.js';

const SECRET = 'only for those who know the URL';

/** As DNS rebinding: these names lead to this machine. Chromium does not protect it itself, as other browsers do not. */
const REBOUND = [
  '--disable-features=LocalNetworkAccessChecks',
  '--host-resolver-rules=MAP *.evil.example 127.0.0.1',
];

/** A site of somebody else, on this machine. */
async function evilSite(
  t: TestContext,
  onRequest = (_request: IncomingMessage): void => {},
): Promise<number> {
  const server: Server = createServer((request, response) => {
    onRequest(request);
    response.setHeader('Content-Type', 'text/html');
    response.end('<!doctype html><title>evil</title><body></body>');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

const FETCHES = ['fetch', 'withCredentials', 'opaque'];
const WAYS = [...FETCHES, 'xhr', 'frame', 'script', 'picture', 'events'];

/** A script that reports what it could read of a URL, in the ways that a page has. */
const reading = (url: string, ways = WAYS): string => `(async () => {
  const url = ${JSON.stringify(url)};
  const tries = {
    fetch: () => fetch(url).then((reply) => reply.text()),
    withCredentials: () => fetch(url, { credentials: 'include' }).then((reply) => reply.text()),
    opaque: () => fetch(url, { mode: 'no-cors' }).then(async (reply) => reply.type + await reply.text()),
    xhr: () => new Promise((resolve, reject) => {
      const xhr = new XMLHttpRequest();
      xhr.onload = () => resolve(xhr.responseText);
      xhr.onerror = () => reject(new Error('xhr'));
      xhr.open('GET', url);
      xhr.send();
    }),
    frame: () => new Promise((resolve) => {
      const frame = document.createElement('iframe');
      frame.src = url;
      frame.onload = () => resolve(String(frame.contentDocument?.body.innerText));
      document.body.append(frame);
    }),
    script: () => new Promise((resolve, reject) => {
      const script = document.createElement('script');
      script.src = url;
      script.onload = () => resolve(document.documentElement.outerHTML);
      script.onerror = () => reject(new Error('script'));
      document.body.append(script);
    }),
    picture: () => new Promise((resolve, reject) => {
      const image = new Image();
      image.src = url;
      image.crossOrigin = 'anonymous';
      image.onload = () => resolve(image.width);
      image.onerror = () => reject(new Error('image'));
    }),
    events: () => new Promise((resolve, reject) => {
      const source = new EventSource(url);
      source.onmessage = ({ data }) => resolve(data);
      source.onerror = () => reject(source.close() ?? new Error('events'));
    }),
  };
  const got = {};
  for (const name of ${JSON.stringify(ways)})
    got[name] = await tries[name]().then(String, ({ name }) => name);
  return got;
})()`;

test('a page of another origin reads nothing, even if it knows the URL', async (t) => {
  if (!havePeer(t, 'chromium')) return;
  const root = tempFolder(t);
  writeFileSync(join(root, 'secret.txt'), SECRET);
  const [{ hop }, evilPort, browser] = await Promise.all([
    testNode(t, { root }),
    evilSite(t),
    startChromium(t, REBOUND),
  ]);
  const gateway = await testGateway(t, { route: [hop], path: '/secret.txt' });
  const page = await browser.newPage();
  for (const origin of [`http://page.evil.example:${evilPort}`, `http://127.0.0.1:${evilPort}`]) {
    for (const url of [gateway.url, gateway.statusUrl, `${gateway.statusUrl}events`]) {
      await page.goto(origin);
      const got = JSON.stringify(await page.evaluate(reading(url)));
      assert.ok(!got.includes(SECRET) && !got.includes('works'), `${origin} ${url} ${got}`);
      assert.match(got, /"fetch":"TypeError".*"opaque":"opaque"/);
    }
  }

  await t.test('nor under a name that leads here (DNS rebinding)', async () => {
    const { port, pathname } = new URL(gateway.url);
    const reply = await page.goto(`http://page.evil.example:${port}${pathname}`);
    assert.equal(reply?.status(), 404);
    assert.equal(await page.getByText(SECRET).count(), 0);
    // As if the page had come from its owner's server, before its name was led here.
    await page.route('**/evil.html', (route) => route.fulfill({ contentType: 'text/html', body: 'evil' }));
    await page.goto(`http://page.evil.example:${port}/evil.html`);
    const read = `fetch(${JSON.stringify(pathname)}).then((reply) => reply.text())`;
    assert.equal(await page.evaluate(read), 'not found\n');
  });

  await t.test('the user reads, by a link of that page too', async () => {
    await page.goto(gateway.url);
    await page.getByText(SECRET).waitFor();
    await page.goto(`http://127.0.0.1:${evilPort}`);
    await page.evaluate(`{
      const link = document.createElement('a');
      link.href = ${JSON.stringify(gateway.url)};
      link.textContent = 'link';
      document.body.append(link);
    }`);
    await page.getByRole('link').click();
    await page.getByText(SECRET).waitFor();
  });
});

test('a page of the origin reads neither the status page nor other files', async (t) => {
  if (!havePeer(t, 'chromium')) return;
  const root = tempFolder(t);
  writeFileSync(join(root, 'secret.txt'), SECRET);
  writeFileSync(
    join(root, 'hostile.html'),
    '<title>hostile</title><body><script>document.title = 1</script></body>',
  );
  const [{ hop }, browser] = await Promise.all([testNode(t, { root }), startChromium(t)]);
  const gateway = await testGateway(t, { route: [hop], path: '/' });
  const page = await browser.newPage();
  await page.goto(`${gateway.url}hostile.html`);
  assert.equal(await page.title(), 'hostile', 'its scripts do not run');
  // As if they ran; no event tells them of anything.
  for (const url of [`${gateway.url}secret.txt`, gateway.statusUrl, `${gateway.statusUrl}events`]) {
    const got = JSON.stringify(await page.evaluate(reading(url, FETCHES)));
    assert.ok(!got.includes(SECRET) && !got.includes('works'), got);
  }
});

test('a page of the origin tells no other site its URL', async (t) => {
  if (!havePeer(t, 'chromium')) return;
  const root = tempFolder(t);
  const told: string[] = [];
  const [{ hop }, evilPort, browser] = await Promise.all([
    testNode(t, { root }),
    evilSite(t, ({ url, headers }) => told.push(`${url} ${JSON.stringify(headers)}`)),
    startChromium(t, REBOUND),
  ]);
  const evil = `http://page.evil.example:${evilPort}`;
  const page = await browser.newPage();
  const gateway = await testGateway(t, { route: [hop], path: '/' });
  writeFileSync(
    join(root, 'page.html'),
    `<!doctype html><meta name="referrer" content="unsafe-url"><title>page</title>
     <img src="${evil}/picture" referrerpolicy="unsafe-url" alt="">
     <a href="${evil}/followed" ping="${evil}/ping" referrerpolicy="unsafe-url">link</a>`,
  );
  await page.goto(`${gateway.url}page.html`);
  await page.getByRole('link').click();
  await page.waitForURL(`${evil}/followed`);
  const secret = new URL(gateway.url).pathname.split('/')[1] ?? assert.fail();
  await page.goto(`${evil}/last`); // A ping would have come by then: it leaves before what the link leads to.
  assert.ok(told.some((line) => line.startsWith('/followed ')));
  assert.deepEqual(
    told.filter((line) => line.startsWith('/ping ') || line.includes(secret)),
    [],
  );
});
