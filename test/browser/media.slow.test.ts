import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { httpChain } from '../support/http-chain.js';
import { havePeer } from '../support/peers.js';
import { tempFolder } from '../support/temp.js';
import { startChromium } from './chromium.js';
import { SECONDS, mediaPosition, wav, webm } from './media.js';

/** Waits until the medium of a page has data to play; what it tells then. */
function medium(
  page: Page,
): Promise<{ readonly readyState: number; readonly duration: number; readonly error: unknown }> {
  return page.evaluate(`new Promise((resolve) => {
    const medium = document.querySelector('video, audio');
    const tell = () => resolve({ readyState: medium.readyState, duration: medium.duration, error: medium.error?.message });
    if (medium.readyState >= 3 || medium.error) return tell();
    for (const event of ['canplay', 'error']) medium.addEventListener(event, tell);
    medium.querySelector('source')?.addEventListener('error', tell);
  })`);
}

test('media of a hop play and seek in Chromium, over two relays', async (t) => {
  if (!havePeer(t, 'chromium')) return;
  const root = tempFolder(t);
  const [chain, browser] = await Promise.all([httpChain(t, root, 2), startChromium(t)]);
  writeFileSync(join(root, 'sound.wav'), wav());
  writeFileSync(join(root, 'film.webm'), await webm(browser));

  await t.test('sound: it plays, and a seek fetches from there', async () => {
    const page = await browser.newPage();
    await page.goto(chain.url('/sound.wav'));
    const { readyState, duration, error } = await medium(page);
    assert.equal(error, undefined);
    assert.ok(readyState >= 3, `readyState ${readyState}`);
    assert.equal(Math.round(duration), SECONDS);
    assert.equal(await mediaPosition(page, SECONDS - 5), SECONDS - 5);
    await page.close();
  });

  await t.test('a film', async () => {
    const page = await browser.newPage();
    await page.goto(chain.url('/film.webm'));
    const { readyState, error } = await medium(page);
    assert.equal(error, undefined);
    assert.ok(readyState >= 3, `readyState ${readyState}`);
    await page.close();
  });

  await t.test('a picture', async () => {
    const png =
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
    writeFileSync(join(root, 'dot.png'), Buffer.from(png, 'base64'));
    const page = await browser.newPage();
    await page.goto(chain.url('/dot.png'));
    assert.equal(await page.evaluate(`document.querySelector('img').naturalWidth`), 1);
    await page.close();
  });
});
