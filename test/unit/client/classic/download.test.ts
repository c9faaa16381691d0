import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { ViaductError, download } from 'viaduct';
import { refusingHop } from '../../../support/black-hole.js';
import { failureOf } from '../../../support/failures.js';
import { watchDescriptors } from '../../../support/leaks.js';
import { rawOrigin } from '../../../support/origins.js';
import { tempFolder } from '../../../support/temp.js';

const BYTES = randomBytes(1_500_000);

/** An origin with a file. */
function goodOrigin(t: TestContext) {
  return rawOrigin(t, (socket) => socket.end(BYTES));
}

/** An origin that sends half of a file and then resets the connection, after `atHalf` was called. */
async function brokenOrigin(t: TestContext, atHalf: () => void = () => {}) {
  const sockets: Socket[] = [];
  const source = await rawOrigin(t, (socket) => {
    sockets.push(socket);
    socket.write(BYTES.subarray(0, 700_000));
  });
  return {
    source,
    onEvent: ({ bytes }: { bytes: number }): void => {
      if (bytes < 700_000) return;
      atHalf();
      sockets[0]?.resetAndDestroy();
    },
  };
}

describe('a download that succeeds', () => {
  test('leaves the complete file and no other', async (t) => {
    const folder = tempFolder(t);
    const source = await goodOrigin(t);
    const nothingMore = watchDescriptors();
    const { bytes } = await download(source, join(folder, 'file'));
    assert.equal(bytes, BYTES.length);
    assert.ok(readFileSync(join(folder, 'file')).equals(BYTES));
    assert.deepEqual(readdirSync(folder), ['file']);
    await nothingMore();
  });

  test('has no file under the final name while it runs', async (t) => {
    const folder = tempFolder(t);
    const seen = new Set<string>();
    const onEvent = (): void => {
      for (const name of readdirSync(folder)) seen.add(name);
    };
    await download(await goodOrigin(t), join(folder, 'file'), { onEvent });
    assert.equal(seen.size, 1);
    assert.match([...seen][0] ?? '', /^\.viaduct-[0-9a-f]{12}\.part$/);
  });

  test('replaces an older file, which stays unchanged until then', async (t) => {
    const target = join(tempFolder(t), 'file');
    writeFileSync(target, 'older and longer'.repeat(200_000));
    const old = readFileSync(target, 'utf8');
    const onEvent = (): void => assert.equal(readFileSync(target, 'utf8') === old, true);
    await download(await goodOrigin(t), target, { onEvent });
    assert.ok(readFileSync(target).equals(BYTES));
  });

  test('with no bytes is an empty file', async (t) => {
    const target = join(tempFolder(t), 'file');
    const { bytes } = await download(await rawOrigin(t, (socket) => socket.end()), target);
    assert.deepEqual([bytes, readFileSync(target).length], [0, 0]);
  });

  test('can have a name of the maximum length', async (t) => {
    const target = join(tempFolder(t), 'x'.repeat(255));
    await download(await goodOrigin(t), target);
    assert.ok(readFileSync(target).equals(BYTES));
  });

  test('keeps a symbolic link, and replaces the file that it points to', async (t) => {
    const folder = tempFolder(t);
    mkdirSync(join(folder, 'real'));
    writeFileSync(join(folder, 'real/file'), 'old');
    symlinkSync('real/file', join(folder, 'link'));
    await download(await goodOrigin(t), join(folder, 'link'));
    assert.equal(readlinkSync(join(folder, 'link')), 'real/file');
    assert.ok(readFileSync(join(folder, 'real/file')).equals(BYTES));
    assert.deepEqual(readdirSync(join(folder, 'real')), ['file']);
  });

  test('refuses a FIFO, which could block forever', async (t) => {
    const fifo = join(tempFolder(t), 'fifo');
    execFileSync('mkfifo', [fifo]);
    const error = await failureOf(download(await goodOrigin(t), fifo));
    assert.equal(error.code, 'WRITE_FAILED');
    assert.match(error.message, /is a FIFO; redirect standard output to it/);
  });

  test('writes a device in place', async (t) => {
    const { bytes } = await download(await goodOrigin(t), '/dev/null');
    assert.equal(bytes, BYTES.length);
    assert.ok(lstatSync('/dev/null').isCharacterDevice());
  });
});

describe('a download that fails', () => {
  test('half-way removes the partial file and leaves no file', async (t) => {
    const folder = tempFolder(t);
    let during: readonly string[] = [];
    const { source, onEvent } = await brokenOrigin(t, () => (during = readdirSync(folder)));
    const nothingMore = watchDescriptors();
    const error = await failureOf(download(source, join(folder, 'file'), { onEvent }));
    assert.equal(error.code, 'CUT_SHORT');
    assert.equal(during.length, 1);
    assert.deepEqual(readdirSync(folder), []);
    await nothingMore();
  });

  test('half-way leaves the older file unchanged, also through a symbolic link', async (t) => {
    const folder = tempFolder(t);
    writeFileSync(join(folder, 'file'), 'older');
    symlinkSync('file', join(folder, 'link'));
    for (const name of ['file', 'link']) {
      const { source, onEvent } = await brokenOrigin(t);
      await failureOf(download(source, join(folder, name), { onEvent }));
    }
    assert.equal(readFileSync(join(folder, 'file'), 'utf8'), 'older');
    assert.deepEqual(readdirSync(folder).toSorted(), ['file', 'link']);
  });

  test('by an abort removes the partial file', async (t) => {
    const folder = tempFolder(t);
    const controller = new AbortController();
    const reason = new ViaductError('ABORTED', 'enough');
    const { source } = await brokenOrigin(t);
    const onEvent = (): void => controller.abort(reason);
    const target = join(folder, 'file');
    assert.equal(await failureOf(download(source, target, { signal: controller.signal, onEvent })), reason);
    assert.deepEqual(readdirSync(folder), []);
  });

  test('by a timeout removes the partial file', async (t) => {
    const folder = tempFolder(t);
    const source = await rawOrigin(t, (socket) => socket.write('half'));
    const { code } = await failureOf(download(source, join(folder, 'file'), { timeoutMs: 80 }));
    assert.equal(code, 'TIMEOUT');
    assert.deepEqual(readdirSync(folder), []);
  });

  test('before it starts leaves no file', async (t) => {
    const folder = tempFolder(t);
    const route = [await refusingHop(t)];
    const { code } = await failureOf(download({ name: 'file', route }, join(folder, 'file')));
    assert.equal(code, 'REFUSED');
    assert.deepEqual(readdirSync(folder), []);
  });

  test('because the device is full', async (t) => {
    const error = await failureOf(download(await goodOrigin(t), '/dev/full'));
    assert.equal(error.code, 'WRITE_FAILED');
    assert.equal(error.message, 'cannot write /dev/full: no space left on device');
  });

  test('because the target is a folder, below a file, or in a missing folder', async (t) => {
    const folder = tempFolder(t);
    writeFileSync(join(folder, 'file'), 'older');
    const source = await goodOrigin(t);
    for (const [target, message] of [
      [folder, /it is a folder/],
      [join(folder, 'file/below'), /not a directory/],
      [join(folder, 'missing/file'), /no such file or directory/],
    ] as const) {
      const error = await failureOf(download(source, target));
      assert.equal(error.code, 'WRITE_FAILED');
      assert.match(error.message, message);
    }
    assert.deepEqual(source.messages, []); // Checked before a connection is made.
    assert.deepEqual(readdirSync(folder), ['file']);
  });

  test('at the last step, because a folder with the name was created', async (t) => {
    const folder = tempFolder(t);
    const target = join(folder, 'file');
    const onEvent = (): void => void mkdirSync(join(target, 'sub'), { recursive: true });
    const error = await failureOf(download(await goodOrigin(t), target, { onEvent }));
    assert.equal(error.code, 'WRITE_FAILED');
    assert.deepEqual(readdirSync(folder), ['file']);
  });
});
