import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { download } from 'viaduct';
import { failureOf } from '../../../support/failures.js';
import { rawOrigin } from '../../../support/origins.js';
import { lonelyServer } from '../../../support/raw.js';
import { tempFolder } from '../../../support/temp.js';

const BYTES = randomBytes(300_000);

for (const mode of [0o600, 0o640, 0o666, 0o755]) {
  test(`the permissions ${mode.toString(8)} of a replaced file apply to the partial file and the new file`, async (t) => {
    const folder = tempFolder(t);
    const target = join(folder, 'file');
    writeFileSync(target, 'older');
    chmodSync(target, mode);
    const permissions = (name: string): number => statSync(join(folder, name)).mode & 0o777;
    const onEvent = (): void => {
      for (const name of readdirSync(folder)) assert.equal(permissions(name), mode, name);
    };
    await download(await rawOrigin(t, (socket) => socket.end(BYTES)), target, { onEvent });
    assert.ok(readFileSync(target).equals(BYTES));
    assert.equal(permissions('file'), mode);
  });
}

test('a target that is not a file name is refused before a connection is made', async (t) => {
  const folder = tempFolder(t);
  mkdirSync(join(folder, 'sub'));
  symlinkSync('nowhere', join(folder, 'link'));
  const { hop, assertNotDialled } = await lonelyServer(t);
  for (const [target, message] of [
    ['', /it is not the name of a file/],
    [join(folder, 'new/'), /it is not the name of a file/],
    [join(folder, 'sub/'), /it is not the name of a file/],
    [join(folder, 'link'), /it is a broken link/],
  ] as const) {
    const error = await failureOf(download({ name: 'file', route: [hop] }, target));
    assert.equal(error.code, 'WRITE_FAILED');
    assert.match(error.message, message);
  }
  await assertNotDialled();
  assert.deepEqual(readdirSync(folder).toSorted(), ['link', 'sub']);
  assert.equal(readlinkSync(join(folder, 'link')), 'nowhere');
});
