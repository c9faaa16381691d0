import type { Browser, Page } from 'playwright-core';

export const SECONDS = 30;

/** Silence of 8-bit samples, 8,000 a second. */
export function wav(): Buffer {
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
export async function webm(browser: Browser): Promise<Buffer> {
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

/** Stops the medium of a page, seeks, and returns where it is then, to a tenth of a second. */
export async function mediaPosition(page: Page, seconds: number): Promise<number> {
  const at = await page.evaluate<number>(`new Promise((resolve) => {
    const medium = document.querySelector('video, audio');
    medium.pause();
    medium.addEventListener('seeked', () => resolve(medium.currentTime));
    medium.currentTime = ${seconds};
  })`);
  return Math.round(at * 10) / 10;
}
