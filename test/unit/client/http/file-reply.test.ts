import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { get } from 'viaduct';
import { retryAfterMs } from '#src/client/http/file-reply.js';
import { placeOf } from '#src/files/target.js';
import { request } from '#src/client/http/request.js';
import { readSidecar } from '#src/files/sidecar.js';
import { failureOf } from '../../../support/failures.js';
import { fileOrigin, honestReply, replyOf } from '../../../support/file-origin.js';
import { tempFolder } from '../../../support/temp.js';

test('Retry-After is a number of seconds, or one second', () => {
  for (const [value, ms] of [
    ['2', 2000],
    ['0', 1000],
    ['-5', 1000],
    ['1e9', 1000],
    ['Wed, 21 Oct 2015 07:28:00 GMT', 1000],
    ['9999999999', 1000],
  ] as const)
    assert.equal(retryAfterMs(value), ms, value);
});

test('what came of an older version is no measure of progress', async (t) => {
  const [older, newer] = [randomBytes(10_000), randomBytes(10_000)];
  const { location } = await fileOrigin(t, (socket, asked, index) => {
    const reply = index === 0 ? honestReply(older, asked) : honestReply(newer, asked, '"v2"');
    if (index > 1) socket.end(reply);
    else socket.write(reply.subarray(0, index === 0 ? 9000 : 2000), () => setImmediate(() => socket.end()));
  });
  const { size } = await get(location, join(tempFolder(t), 'file'), { retries: 1 });
  assert.equal(size, newer.length);
});

test('in a tree, links are refused whatever they lead to, and devices', async (t) => {
  const folder = tempFolder(t);
  for (const [name, to] of [
    ['nowhere', 'none'],
    ['folder', '.'],
    ['device', '/dev/null'],
  ] as const) {
    symlinkSync(to, join(folder, name));
    assert.match((await failureOf(placeOf(join(folder, name), false))).message, /: it is a link$/);
  }
  if (process.platform !== 'win32')
    assert.match((await failureOf(placeOf('/dev/null', false))).message, /: it is a device$/);
});

test('a sidecar whose ETag is not a strong one has none', async (t) => {
  const path = join(tempFolder(t), 'file.part.json');
  for (const [etag, read] of [
    ['"v1"', '"v1"'],
    ['W/"v1"', undefined],
    ['"v1"\r\nX: y', undefined],
  ] as const) {
    writeFileSync(path, JSON.stringify({ source: 'http://h:1/file', etag, size: 1 }));
    assert.deepEqual(await readSidecar(path), { source: 'http://h:1/file', etag: read, size: 1 });
  }
});

test('an announced empty body that is not empty is noticed', async (t) => {
  const { location } = await fileOrigin(t, (socket) => {
    socket.end(Buffer.concat([replyOf(200, {}), Buffer.from('more')]));
  });
  const reply = await request(location);
  assert.equal((await failureOf(reply.read(async () => {}))).code, 'BAD_REPLY');
});

test('a body that is wanted whole by a time is not waited for longer, if nothing comes', async (t) => {
  const { location } = await fileOrigin(t, (socket) => socket.write(replyOf(200, { 'Content-Length': 9 })));
  const reply = await request(location, { timeoutMs: 600_000 });
  assert.equal((await failureOf(reply.bytes(100, 100))).code, 'TIMEOUT');
});
