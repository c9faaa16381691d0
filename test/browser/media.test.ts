import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { httpChain } from '../support/http-chain.js';
import { havePeer } from '../support/peers.js';
import { tempFolder } from '../support/temp.js';
import { startChromium } from './chromium.js';

const SECONDS = 30;

/** Silence of 8-bit samples, 8,000 a second. */
function wav(): Buffer {
  const length = SECONDS * 8000;
  const head = Buffer.alloc(44);
  head.write('RIFF', 0, 'latin1');
  head.writeUInt32LE(36 + length, 4);
  head.write('WAVEfmt ', 8, 'latin1');
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(8000, 24);
  head.writeUInt32LE(8000, 28);
  head.writeUInt16LE(1, 32);
  head.writeUInt16LE(8, 34);
  head.write('data', 36, 'latin1');
  head.writeUInt32LE(length, 40);
  return Buffer.concat([head, Buffer.alloc(length, 128)]);
}

/** A video that Chromium makes itself, some frames of a canvas. */
async function webm(browser: Browser): Promise<Buffer> {
  const page = await browser.newPage();
  const bytes = await page.evaluate<number[]>(`(async () => {
    const canvas = document.createElement('canvas');
    const context = canvas.getContext('2d');
    const recorder = new MediaRecorder(canvas.captureStream(25));
    const chunks = [];
    recorder.ondataavailable = ({ data }) => chunks.push(data);
    recorder.start();
    for (let frame = 0; frame < 25; frame += 1) {
      context.fillRect(frame, frame, 10, 10);
      await new Promise(requestAnimationFrame);
    }
    const stopped = new Promise((resolve) => (recorder.onstop = resolve));
    recorder.stop();
    await stopped;
    return [...new Uint8Array(await new Blob(chunks).arrayBuffer())];
  })()`);
  await page.close();
  return Buffer.from(bytes);
}

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
    const at = await page.evaluate<number>(`new Promise((resolve) => {
      const medium = document.querySelector('video, audio');
      medium.addEventListener('seeked', () => resolve(medium.currentTime));
      medium.currentTime = ${SECONDS - 5};
    })`);
    assert.equal(Math.round(at), SECONDS - 5);
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
