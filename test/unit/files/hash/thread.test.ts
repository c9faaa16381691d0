import assert from 'node:assert/strict';
import { closeSync, existsSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatLocation, get } from 'viaduct';
import { GrowingHash } from '#src/files/hash/thread.js';
import { digestField, fileOrigin, replyOf } from '../../../support/file-origin.js';
import { sparseFile, tempFolder } from '../../../support/temp.js';

const MIB = 1024 * 1024;

test('what was on disk is hashed in parts, and no further one after it is given up', async (t) => {
  const fd = openSync(sparseFile(tempFolder(t), 'file', 0), 'r');
  t.after(() => closeSync(fd));
  const parts: { from: number; to: number; last: boolean }[] = [];
  const hash = new GrowingHash(
    fd,
    (part) => void parts.push(part),
    () => {},
  );
  hash.advance(200 * MIB);
  const digest = hash.digest();
  for (let answered = 0; answered < 3; answered += 1) hash.answered({ file: 0 });
  hash.answered({ file: 0, digest: 'all' });
  assert.equal(await digest, 'all');
  assert.deepEqual(
    parts.map(({ from, to, last }) => [from / MIB, to / MIB, last]),
    [
      [0, 64, false],
      [64, 128, false],
      [128, 192, false],
      [192, 200, true],
    ],
  );

  parts.length = 0;
  const given = new GrowingHash(
    fd,
    (part) => void parts.push(part),
    () => {},
  );
  given.advance(200 * MIB);
  const never = given.digest();
  const closing = given.close();
  given.answered({ file: 0 });
  await assert.rejects(never, /given up/);
  await closing;
  assert.equal(parts.length, 1);
});

test('an interruption does not wait for the verification, and leaves what there is', async (t) => {
  const folder = tempFolder(t);
  const size = 200 * MIB;
  const { location } = await fileOrigin(t, (socket, { method }) => {
    const fields = { 'Content-Range': `bytes ${size - 1}-${size - 1}/${size}`, ETag: '"v1"' };
    const digest = { 'Repr-Digest': digestField(Buffer.from('other')) };
    socket.end(replyOf(206, { ...fields, ...digest }, 'x', method));
  });
  sparseFile(folder, 'file.part', size - 1);
  const sidecar = { source: formatLocation(location), etag: '"v1"', size };
  writeFileSync(join(folder, 'file.part.json'), JSON.stringify(sidecar));
  const abort = new AbortController();
  const getting = get(location, join(folder, 'file'), {
    signal: abort.signal,
    onEvent: (event) =>
      void (event.type === 'phase' && event.phase === 'verifying' && abort.abort(new Error('enough'))),
  });
  await assert.rejects(getting, /enough/);
  assert.ok(existsSync(join(folder, 'file.part')));
});
