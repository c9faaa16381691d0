import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { appendFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { Digests, wantsDigest } from '#src/node/origin/digests.js';
import { asOf } from '#src/node/origin/growth.js';
import { Root } from '#src/node/origin/root.js';
import type { ServedFile } from '#src/node/origin/served-file.js';
import type { Field, RequestHead } from '#src/wire/http/head.js';
import { watchDescriptors } from '../../../support/leaks.js';
import { randomFile, tempFolder } from '../../../support/temp.js';

const LATER = [['Retry-After', '1']];

function fieldsOf(bytes: Buffer): readonly (readonly [string, string])[] {
  return [['Repr-Digest', `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`]];
}

/** A file, and a way to open it that counts how often it was. */
async function prepare(t: TestContext, size = 3_000_000) {
  const folder = tempFolder(t);
  const bytes = randomFile(folder, 'file', size);
  const root = await Root.at(folder, false);
  const opened: ServedFile[] = [];
  const reopen = async (): Promise<ServedFile> => {
    const file = await root.openFile('file');
    opened.push(file);
    return file;
  };
  const version = async (): Promise<string> => {
    const file = await root.openFile('file');
    await file.handle.close();
    return file.version;
  };
  return { path: join(folder, 'file'), bytes, opened, reopen, version };
}

/** Asks for a digest as a request does, and leaves. */
async function fieldsFrom(
  digests: Digests,
  version: string,
  reopen: () => Promise<ServedFile>,
  wait: boolean,
  { size = 3_000_000, client = 'client' } = {},
): Promise<readonly Field[]> {
  const digest = digests.want({ version, size, client, reopen });
  try {
    return await digest.fields(wait);
  } finally {
    digest.release();
  }
}

const gone = (): Promise<ServedFile> => Promise.reject(new Error('gone'));

test('is made once for a version, however many ask at once and after', async (t) => {
  const { bytes, reopen, version, opened } = await prepare(t);
  const nothingLeft = watchDescriptors();
  const digests = new Digests();
  const own = await version();
  const all = await Promise.all(Array.from({ length: 20 }, () => fieldsFrom(digests, own, reopen, true)));
  for (const fields of all) assert.deepEqual(fields, fieldsOf(bytes));
  assert.deepEqual(await fieldsFrom(digests, own, reopen, true), fieldsOf(bytes));
  assert.deepEqual(await fieldsFrom(digests, own, reopen, false), fieldsOf(bytes));
  assert.equal(opened.length, 1);
  await nothingLeft();
});

for (const size of [0, 1, 1024 * 1024, 1024 * 1024 + 1]) {
  test(`of ${size} bytes is right`, async (t) => {
    const { bytes, reopen, version } = await prepare(t, size);
    assert.deepEqual(
      await fieldsFrom(new Digests(), await version(), reopen, true, { size }),
      fieldsOf(bytes),
    );
  });
}

test('is not waited for by who must not, and is there for who comes later', async (t) => {
  const { bytes, reopen, version, opened } = await prepare(t);
  const digests = new Digests();
  const own = await version();
  assert.deepEqual(await fieldsFrom(digests, own, reopen, false), LATER);
  assert.deepEqual(await fieldsFrom(digests, own, reopen, true), fieldsOf(bytes));
  assert.equal(opened.length, 1);
});

/** Long enough for everything that needs no timer. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
}

test('is waited for 5 s and no longer', async (t) => {
  const { reopen, version } = await prepare(t);
  const gate = new EventEmitter();
  const opened = once(gate, 'open');
  const own = await version();
  const digests = new Digests();
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let isOver = false;
  const late = fieldsFrom(digests, own, () => opened.then(reopen), true).finally(() => (isOver = true));
  await turns();
  t.mock.timers.tick(4999);
  await turns();
  assert.equal(isOver, false, 'it was given up early');
  t.mock.timers.tick(1);
  assert.deepEqual(await late, LATER);
  t.mock.timers.reset();
  gate.emit('open');
  assert.equal((await fieldsFrom(digests, own, reopen, true))[0]?.[0], 'Repr-Digest');
});

describe('a file that changes', () => {
  test('before it is opened again has no digest for the old version', async (t) => {
    const { path, bytes, reopen, version } = await prepare(t);
    const digests = new Digests();
    const old = await version();
    appendFileSync(path, 'more');
    assert.deepEqual(await fieldsFrom(digests, old, reopen, true), LATER);
    const now = fieldsOf(Buffer.concat([bytes, Buffer.from('more')]));
    assert.deepEqual(await fieldsFrom(digests, await version(), reopen, true), now);
    assert.deepEqual(await fieldsFrom(digests, old, reopen, true), LATER);
  });

  test('after its digest was made has another one', async (t) => {
    const { path, bytes, reopen, version } = await prepare(t);
    const digests = new Digests();
    assert.deepEqual(await fieldsFrom(digests, await version(), reopen, true), fieldsOf(bytes));
    truncateSync(path, 10);
    assert.deepEqual(
      await fieldsFrom(digests, await version(), reopen, true),
      fieldsOf(bytes.subarray(0, 10)),
    );
  });

  // What was hashed then is neither the old version nor surely the new one.
  test('while it is hashed has none', async (t) => {
    const { path, bytes, reopen, version } = await prepare(t);
    const digests = new Digests();
    const old = await version();
    const changing = async (): Promise<ServedFile> => {
      const file = await reopen();
      truncateSync(path, bytes.length - 1);
      return file;
    };
    assert.deepEqual(await fieldsFrom(digests, old, changing, true), LATER);
    const now = fieldsOf(bytes.subarray(0, -1));
    assert.deepEqual(await fieldsFrom(digests, await version(), reopen, true), now);
  });

  test('by growth alone while it is hashed has that of its beginning', async (t) => {
    const { path, bytes, reopen, version } = await prepare(t);
    const growing = async (): Promise<ServedFile> => {
      const file = await reopen();
      appendFileSync(path, 'x');
      return file;
    };
    assert.deepEqual(await fieldsFrom(new Digests(), await version(), growing, true), fieldsOf(bytes));
  });

  test('or is gone has none, and is asked for anew', async (t) => {
    const { bytes, reopen, version } = await prepare(t);
    const digests = new Digests();
    const own = await version();
    assert.deepEqual(await fieldsFrom(digests, own, gone, true), LATER);
    assert.deepEqual(await fieldsFrom(digests, own, reopen, true), fieldsOf(bytes));
  });
});

test('is asked for by Want-Repr-Digest (RFC 9530 §4)', () => {
  for (const [values, wanted] of [
    [[], false],
    [['sha-256=1'], true],
    [['sha-256=10'], true],
    [['sha-512=3, sha-256=10'], true],
    [['sha-512=3', 'sha-256=1'], true],
    [['sha-256=0'], false],
    [['sha-512=1'], false],
    [['x-sha-256=1'], false],
    [['sha-256'], false],
    [['unixsum=0,sha-256=5'], true],
  ] as const) {
    const fields = values.map((value) => ['Want-Repr-Digest', value] as const);
    const request: RequestHead = { method: 'HEAD', target: '/', minor: 1, fields };
    assert.equal(wantsDigest(request), wanted, values.join('; '));
  }
});

test('of versions that clients name do not push out those of files as they are', async (t) => {
  const { bytes, reopen, version, opened } = await prepare(t, 1000);
  const digests = new Digests();
  const own = await version();
  const [inode = ''] = own.split('-');
  await fieldsFrom(digests, own, reopen, true, { size: 1000 });
  for (let count = 0; count < 1200; count += 1) {
    const named = `${inode}-1-${count.toString(36)}-0`;
    const asNamed = async (): Promise<ServedFile> => asOf(await reopen(), named);
    const digest = digests.want({
      version: named,
      size: 1,
      isEarlier: true,
      client: 'client',
      reopen: asNamed,
    });
    assert.deepEqual(await digest.fields(true), fieldsOf(bytes.subarray(0, 1)));
    digest.release();
  }
  const before = opened.length;
  assert.deepEqual(await fieldsFrom(digests, own, reopen, false, { size: 1000 }), fieldsOf(bytes));
  assert.equal(opened.length, before, 'it was forgotten');
});
