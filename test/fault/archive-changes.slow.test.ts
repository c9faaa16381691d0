import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
  openSync,
  closeSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { askTar, headTar } from '../support/archives.js';
import { watchDescriptors } from '../support/leaks.js';
import { testChain } from '../support/nodes.js';
import { rawConnect, readToEnd } from '../support/raw.js';
import { readTar } from '../support/tar.js';
import { sparseFile, tempFolder } from '../support/temp.js';
import { requestOf } from '../support/http.js';

// A file that changes while its archive is sent: the client is never left with an archive that looks whole.

/** More than all buffers of a chain hold. */
const LARGE = 48 * 2 ** 20;

/** `dir/` with a large file, and small ones behind it; an origin behind a relay. */
async function prepare(t: TestContext) {
  const root = tempFolder(t);
  const dir = join(root, 'dir');
  mkdirSync(join(dir, 'sub'), { recursive: true });
  sparseFile(dir, 'large', LARGE);
  for (const name of ['small', 'sub/later']) writeFileSync(join(dir, name), 'as it was');
  const { nodes, route } = await testChain(t, 2, { root });
  const [, origin] = nodes;
  assert.ok(origin);
  return { dir, origin, route };
}

/** Changes something once the archive has begun to come, and reads to the end. */
async function changedMeanwhile(t: TestContext, change: (dir: string) => void) {
  const { dir, origin, route } = await prepare(t);
  const before = await headTar(t, origin.hop, '/dir/');
  const nothingOpen = watchDescriptors();
  const [first] = route;
  assert.ok(first);
  const client = await rawConnect(t, first);
  client.write(requestOf(route, '/dir/?tar', ['Connection: close']));
  await once(client, 'readable');
  change(dir);
  const { bytes, how } = await readToEnd(client);
  client.destroy();
  await nothingOpen();
  return { before, origin, how, length: bytes.length };
}

describe('the connection is reset after', () => {
  for (const [what, code, change] of [
    ['a change of the large file, in place', 'CHANGED', (dir: string) => overwrite(join(dir, 'large'))],
    ['growth of the large file', 'CHANGED', (dir: string) => appendFileSync(join(dir, 'large'), 'x')],
    ['the end of the large file', 'READ_FAILED', (dir: string) => truncateSync(join(dir, 'large'), 1000)],
    [
      'a change of a later file',
      'CHANGED',
      (dir: string) => writeFileSync(join(dir, 'sub/later'), 'something'),
    ],
    ['growth of a later file', 'CHANGED', (dir: string) => appendFileSync(join(dir, 'sub/later'), 'x')],
    ['another mode of a later file', 'CHANGED', (dir: string) => chmodSync(join(dir, 'sub/later'), 0o600)],
    ['deletion of a later file', 'NOT_FOUND', (dir: string) => rmSync(join(dir, 'sub/later'))],
    [
      'another folder in place of a later one',
      'NOT_FOUND',
      (dir: string) => renameSync(join(dir, 'sub'), join(dir, 'other')),
    ],
    ['a link that leads out', 'FORBIDDEN', (dir: string) => linkOut(join(dir, 'sub/later'))],
  ] as const)
    test(what, async (t) => {
      const { before, origin, how, length } = await changedMeanwhile(t, change);
      assert.equal(how, 'reset');
      assert.ok(length < Number(before.fields['content-length']));
      const failure = (await origin.event('failed')).error;
      // The end of a file is seen by whoever comes first: the reading, or the comparison.
      assert.ok([code, 'CHANGED'].includes(failure.code), failure.message);
      // The next request, whichever it is, is about the tree as it is now.
      const conditions = ['Range: bytes=100-', `If-Range: ${before.fields['etag']}`];
      const after = await askTar(t, origin.hop, '/dir/', ...conditions);
      assert.equal(after.status, 200);
      readTar(after.body);
    });
});

test('what is new meanwhile is not in the archive, and does not break it', async (t) => {
  const { before, how, length } = await changedMeanwhile(t, (dir) => writeFileSync(join(dir, 'new'), 'x'));
  assert.equal(how, 'end');
  assert.ok(length > Number(before.fields['content-length']));
});

function overwrite(path: string): void {
  const file = openSync(path, 'r+');
  writeSync(file, 'x', LARGE - 1);
  closeSync(file);
}

function linkOut(path: string): void {
  rmSync(path);
  symlinkSync('/etc/hostname', path);
}
