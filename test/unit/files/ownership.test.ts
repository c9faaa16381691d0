import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { PartialFile } from '#src/files/partial-file.js';
import { inspectTarget } from '#src/files/target.js';
import { failureOf } from '../../support/failures.js';
import { watchDescriptors } from '../../support/leaks.js';
import { tempFolder } from '../../support/temp.js';

const isRoot = process.geteuid?.() === 0;
const NOBODY = 65534;

async function openIn(folder: string): Promise<PartialFile> {
  return PartialFile.open({
    target: await inspectTarget(join(folder, 'file')),
    source: 'source',
    isSameSource: (recorded) => recorded === 'source',
    hashes: undefined,
    keepExisting: false,
    hiddenName: false,
  });
}

/** A folder with a partial file and its sidecar, as an interrupted transfer leaves them. */
async function interrupted(t: TestContext): Promise<string> {
  const folder = tempFolder(t);
  const file = await openIn(folder);
  await file.begin({ etag: '"v1"', size: 10 });
  await file.write(Buffer.from('01234'), 0);
  await file.close();
  return folder;
}

describe('what somebody else may have put beside the target', () => {
  const places: Record<
    string,
    readonly [make: (path: string, folder: string) => void, why: RegExp, root?: true]
  > = {
    'a link': [(path, folder) => symlinkSync(join(folder, 'victim'), path), /is a link/],
    'a FIFO': [(path) => execFileSync('mkfifo', [path]), /is not a file/],
    'a folder': [(path) => mkdirSync(path), /is not a file/],
    'a hard link': [(path, folder) => linkSync(join(folder, 'victim'), path), /has another name too/],
    'a file that others can write to': [
      (path) => {
        writeFileSync(path, '01234');
        chmodSync(path, 0o666);
      },
      /is writable by others/,
    ],
    'a file of another user': [
      (path) => {
        writeFileSync(path, '01234');
        chownSync(path, NOBODY, NOBODY);
      },
      /belongs to another user/,
      true,
    ],
  };
  for (const [what, [make, why, needsRoot]] of Object.entries(places)) {
    for (const name of ['file.part', 'file.part.json']) {
      const skip = needsRoot === true && !isRoot;
      test(`${what} as ${name} is not used, and the error names it`, { skip, timeout: 10_000 }, async (t) => {
        const folder = await interrupted(t);
        writeFileSync(join(folder, 'victim'), 'victim', { mode: 0o600 });
        const path = join(folder, name);
        execFileSync('rm', [path]);
        make(path, folder);
        const nothingOpen = watchDescriptors();
        const error = await failureOf(openIn(folder));
        assert.equal(error.code, 'WRITE_FAILED');
        assert.match(error.message, why);
        assert.ok(error.message.includes(`${path} `), error.message);
        assert.match(error.message, /move or delete it/);
        assert.equal(readFileSync(join(folder, 'victim'), 'utf8'), 'victim');
        await nothingOpen();
      });
    }
  }

  test('is not changed either: a link as the new sidecar', async (t) => {
    const folder = tempFolder(t);
    writeFileSync(join(folder, 'victim'), 'victim');
    symlinkSync('victim', join(folder, 'file.part.json.new'));
    const file = await openIn(folder);
    await file.begin({ etag: '"v1"', size: 10 });
    await file.close();
    assert.equal(readFileSync(join(folder, 'victim'), 'utf8'), 'victim');
  });
});

test('while it is written only its owner can read a file; the finished one is as the umask or the old file has it', async (t) => {
  const folder = await interrupted(t);
  for (const name of ['file.part', 'file.part.json'])
    assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name);
  for (const [before, after] of [
    [undefined, 0o666 & ~process.umask()],
    [0o640, 0o640],
    [0o755, 0o755],
  ] as const) {
    const path = join(folder, 'file');
    if (before !== undefined) chmodSync(path, before);
    const file = await openIn(folder);
    await file.begin({ etag: '"v2"', size: 5 });
    await file.write(Buffer.from('01234'), 0);
    await file.complete(undefined);
    await file.close();
    assert.equal(statSync(path).mode & 0o777, after);
  }
  assert.deepEqual(readdirSync(folder), ['file']);
});
