import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { ViaductError } from 'viaduct';
import { Root } from '#src/node/origin/root.js';
import { tempFolder } from '../../../support/temp.js';

/** Swaps what a link leads to, as fast as it can; rename(2) replaces it in one step. */
const SWAPPER = `
  const { symlinkSync, renameSync } = require('node:fs');
  const { workerData: { link, targets }, parentPort } = require('node:worker_threads');
  parentPort.postMessage('ready');
  for (let turn = 0; ; turn += 1) {
    symlinkSync(targets[turn % targets.length], link + '.new');
    renameSync(link + '.new', link);
  }`;

/** At least so many opens, and more until both sides of the race have been seen. */
const LEAST_OPENS = 500;
const MOST_OPENS = 50_000;

async function race(link: string, targets: readonly string[], served: Root, name: string): Promise<void> {
  symlinkSync(targets[0] ?? '', link);
  const swapper = new Worker(SWAPPER, { eval: true, workerData: { link, targets } });
  await once(swapper, 'message');
  try {
    await openOften(served, name);
  } finally {
    await swapper.terminate();
  }
}

async function openOften(served: Root, name: string): Promise<void> {
  const seen = { inside: 0, refused: 0 };
  for (let opens = 0; opens < MOST_OPENS; opens += 1) {
    if (opens >= LEAST_OPENS && seen.inside > 0 && seen.refused > 0) break;
    try {
      const opened = await served.open(name);
      assert.equal(opened.kind, 'file');
      const { handle } = opened;
      const text = await handle.readFile('utf8');
      await handle.close();
      assert.equal(text, 'inside');
      seen.inside += 1;
    } catch (error) {
      if (!(error instanceof ViaductError)) throw error;
      assert.equal(error.code, 'FORBIDDEN', error.message);
      seen.refused += 1;
    }
  }
  assert.ok(seen.inside > 0 && seen.refused > 0, `no race happened: ${JSON.stringify(seen)}`);
}

async function makeRoot(t: TestContext) {
  const folder = tempFolder(t);
  const [root, outside] = [join(folder, 'root'), join(folder, 'outside')];
  for (const [path, text] of [
    [join(root, 'good'), 'inside'],
    [outside, 'secret'],
  ] as const) {
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'file'), text);
  }
  return { root, outside, served: await Root.at(root, false) };
}

test('a link to a file that is swapped during the open never gives what is outside', async (t) => {
  const { root, outside, served } = await makeRoot(t);
  await race(join(root, 'link'), [join(root, 'good/file'), join(outside, 'file')], served, 'link');
});

test('a link to a folder that is swapped during the open never gives what is outside', async (t) => {
  const { root, outside, served } = await makeRoot(t);
  await race(join(root, 'link'), ['good', outside], served, 'link/file');
});
