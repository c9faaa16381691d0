import assert from 'node:assert/strict';
import { once } from 'node:events';
import { closeSync, ftruncateSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { HostHop } from 'viaduct';
import { watchDescriptors } from '../support/leaks.js';
import { NodeProcess } from '../support/processes.js';
import { rawConnect } from '../support/raw.js';
import { tempFolder } from '../support/temp.js';
import { get } from '../support/wire-replies.js';

const FOLDERS = 100;
const FILES = 50_000;
const BYTES = 20 * 2 ** 30;
const MAY_GROW = 32 * 2 ** 20;

/** 50,000 files of 20 GiB together, which take no room on the disk. */
function makeTree(t: TestContext): string {
  const root = tempFolder(t);
  for (let folder = 0; folder < FOLDERS; folder += 1) {
    const path = join(root, 'tree', `folder ${folder}`);
    mkdirSync(path, { recursive: true });
    for (let index = 0; index < FILES / FOLDERS; index += 1) {
      const file = openSync(join(path, `a file of the folder ${index}`), 'w');
      ftruncateSync(file, Math.floor(BYTES / FILES));
      closeSync(file);
    }
  }
  return root;
}

/** How long something takes. */
async function msOf(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return Math.round(performance.now() - begun);
}

/** Lists all folders of the tree, one after the other. */
async function listAll(t: TestContext, hop: HostHop): Promise<void> {
  for (let folder = 0; folder < FOLDERS; folder += 1) {
    const client = await rawConnect(t, hop);
    client.write(get(`/tree/folder%20${folder}/`, 'Accept: application/json'));
    await once(client.resume(), 'end');
    client.destroy();
  }
}

test('the archive of 50,000 files and 20 GiB begins sooner than they can be listed, and the node grows by no more than 32 MiB', async (t) => {
  const node = await NodeProcess.start(t, { root: makeTree(t) });
  const released = watchDescriptors(node);
  // What any request costs once: code, buffers, threads for reading files.
  const warm = await rawConnect(t, node.hop);
  warm.write(get('/tree/'));
  await once(warm.resume(), 'end');
  warm.destroy();
  const before = node.memory.resident;
  const client = await rawConnect(t, node.hop);
  client.write(get('/tree/?tar'));
  let first = Buffer.alloc(0);
  const firstByteMs = await msOf(async () => {
    [first] = (await once(client, 'data')) as [Buffer<ArrayBuffer>];
  });
  const length = Number(/\r\nContent-Length: (\d+)\r\n/.exec(first.toString('latin1'))?.[1]);
  assert.ok(length > BYTES - FILES);
  let left = length / 4;
  for await (const chunk of client) {
    left -= (chunk as Buffer).length;
    if (left < 0) break;
  }
  const grown = node.memory.peak - before;
  client.destroy();
  await released();
  const listedMs = await msOf(() => listAll(t, node.hop));
  const mib = Math.round(grown / 2 ** 20);
  t.diagnostic(
    `first byte after ${firstByteMs} ms, all listed after ${listedMs}; grown by ${mib} MiB at most`,
  );
  assert.ok(firstByteMs < listedMs, `${firstByteMs} ms, ${listedMs} ms`);
  assert.ok(grown <= MAY_GROW, `${grown} bytes`);
});
