import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatHop } from 'viaduct';
import { havePeer } from '../support/peers.js';
import { NodeProcess } from '../support/processes.js';
import { tempFolder } from '../support/temp.js';
import { startChromium } from './chromium.js';

const SECRET = 'only for those who may read here';

/**
 * Chromium sends all these names to the loopback address, as DNS rebinding does, and does not protect this machine itself,
 * as other browsers do not.
 */
const REBOUND = [
  '--disable-features=LocalNetworkAccessChecks',
  '--host-resolver-rules=MAP *.rebound.example 127.0.0.1',
];

test('Chromium under a rebound name', async (t) => {
  if (!havePeer(t, 'chromium')) return;
  const root = tempFolder(t);
  writeFileSync(join(root, 'secret.txt'), SECRET);
  const [node, named, browser] = await Promise.all([
    NodeProcess.start(t, { root }),
    NodeProcess.start(t, { root, args: ['--host-name', '*.rebound.example'] }),
    startChromium(t, REBOUND),
  ]);
  const page = await browser.newPage();
  const open = async (host: string, { hop }: NodeProcess, path: string): Promise<number | undefined> => {
    const reply = await page.goto(`http://${host}:${hop.port}${path}`);
    return reply?.status();
  };

  await t.test('gets 421 and a page that says why, for files and over routes', async () => {
    for (const path of ['/secret.txt', '/', `/@${formatHop(named.hop)}/secret.txt`]) {
      assert.equal(await open('page.rebound.example', node, path), 421, path);
      assert.equal(await page.getByText(SECRET).count(), 0);
      assert.equal(await page.getByText('--host-name page.rebound.example').count(), 1);
    }
  });

  await t.test('also for a script of that origin, with any field that it may set', async () => {
    // As if the page had come from its owner's server, before its name was led here.
    await page.route('**/evil.html', (route) => route.fulfill({ contentType: 'text/html', body: 'evil' }));
    const fields = { Via: '1.1 viaduct', Upgrade: 'viaduct', Connection: 'Upgrade', Host: 'localhost' };
    const reads = `fetch('/secret.txt', { headers: ${JSON.stringify(fields)} }).then(async (reply) => [reply.status, await reply.text()])`;
    await open('page.rebound.example', node, '/evil.html');
    const refused = String(await page.evaluate(reads));
    assert.match(refused, /^421,.*"code":"WRONG_HOST"/);
    await open('page.rebound.example', named, '/evil.html');
    assert.deepEqual(await page.evaluate(reads), [200, SECRET], 'it reads where the name is allowed');
  });

  await t.test('reads with --host-name, and under localhost without', async () => {
    assert.equal(await open('page.rebound.example', named, '/secret.txt'), 200);
    assert.equal(await page.getByText(SECRET).count(), 1);
    for (const host of ['localhost', '127.0.0.1', 'a.localhost'])
      assert.equal(await open(host, node, '/secret.txt'), 200, host);
  });
});
