import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { whyForeign } from '#src/files/own-file.js';
import { PartialFile } from '#src/files/partial-file.js';
import { inspectTarget } from '#src/files/target.js';
import { failureOf } from '../../support/failures.js';
import { sparseFile, tempFolder } from '../../support/temp.js';

const SIDECAR = JSON.stringify({ source: 'upload 7', etag: '"v1"', size: 9 });

async function openIn(folder: string): Promise<PartialFile> {
  return PartialFile.open({
    target: await inspectTarget(join(folder, 'file')),
    source: 'upload 7',
    isSameSource: () => true,
    hashes: undefined,
    keepExisting: false,
    hiddenName: false,
  });
}

/** A folder with the partial file of an interrupted transfer. */
function interrupted(t: TestContext): string {
  const folder = tempFolder(t);
  writeFileSync(join(folder, 'file.part'), 'abcd');
  writeFileSync(join(folder, 'file.part.json'), SIDECAR);
  return folder;
}

describe('a file beside the target', () => {
  const kinds: readonly (readonly [string, (path: string, folder: string) => void, string])[] = [
    ['a FIFO', (path) => execFileSync('mkfifo', [path]), 'is not a file'],
    ['a folder', (path) => mkdirSync(path), 'is not a file'],
    ['a link', (path, folder) => symlinkSync(join(folder, 'elsewhere'), path), 'is a symbolic link'],
    ['a link to a device', (path) => symlinkSync('/dev/zero', path), 'is a symbolic link'],
    [
      'a hard link',
      (path, folder) => linkSync(join(folder, 'elsewhere'), path),
      'has another name too (a hard link)',
    ],
    [
      'a file that all users can write',
      (path) => {
        writeFileSync(path, SIDECAR);
        chmodSync(path, 0o666);
      },
      'can be written by all users',
    ],
  ];
  for (const name of ['file.part', 'file.part.json']) {
    for (const [kind, create, why] of kinds) {
      test(`is refused by its name, and stays: ${name} is ${kind}`, async (t) => {
        const folder = tempFolder(t);
        writeFileSync(join(folder, 'elsewhere'), SIDECAR);
        create(join(folder, name), folder);
        const before = lstatSync(join(folder, name));
        const { code, message } = await failureOf(openIn(folder));
        assert.equal(code, 'WRITE_FAILED');
        const path = join(folder, 'file');
        assert.equal(message, `cannot write ${path}: ${join(folder, name)} ${why}; move or delete it`);
        assert.equal(lstatSync(join(folder, name)).mode, before.mode);
        assert.equal(readFileSync(join(folder, 'elsewhere'), 'utf8'), SIDECAR);
      });
    }

    test(`of another user is not adopted: ${name}`, async (t) => {
      if (process.geteuid?.() !== 0) return t.skip('only root can give files away');
      const folder = interrupted(t);
      chownSync(join(folder, name), 65534, 65534);
      const { code, message } = await failureOf(openIn(folder));
      assert.equal(code, 'WRITE_FAILED');
      assert.match(message, new RegExp(`${name} belongs to another user; move or delete it$`));
      assert.equal(readFileSync(join(folder, 'file.part'), 'utf8'), 'abcd');
    });
  }

  test('that is larger than any sidecar is not read', async (t) => {
    const folder = interrupted(t);
    sparseFile(folder, 'file.part.json', 3 * 2 ** 30);
    assert.match((await failureOf(openIn(folder))).message, /file\.part\.json is too large/);
  });

  test('counts by owner, names and mode; a group may write, as the umask of many systems allows', () => {
    const own = { isFile: () => true, uid: 1000, mode: 0o100_664, nlink: 1 };
    assert.equal(whyForeign(own, 1000), undefined);
    assert.equal(whyForeign(own, 1001), 'belongs to another user');
    assert.equal(whyForeign({ ...own, mode: 0o100_666 }, undefined), undefined);
  });
});

test('the mode of the file that is replaced comes with the final name, not before', async (t) => {
  for (const mode of [0o666, 0o444, 0o600]) {
    const folder = tempFolder(t);
    writeFileSync(join(folder, 'file'), 'old');
    chmodSync(join(folder, 'file'), mode);
    const first = await openIn(folder);
    await first.begin({ etag: '"v1"', size: 9 });
    await first.write(Buffer.from('abcd'), 0);
    await first.close();
    assert.equal(statSync(join(folder, 'file.part')).mode & 0o602, 0o600);
    assert.equal(statSync(join(folder, 'file.part.json')).mode & 0o777, 0o600);
    const file = await openIn(folder);
    assert.equal(file.bytes, 4);
    await file.write(Buffer.from('efghi'), 4);
    await file.complete(undefined);
    await file.close();
    assert.equal(statSync(join(folder, 'file')).mode & 0o777, mode);
  }
});
