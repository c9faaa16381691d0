import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { get } from 'viaduct';
import { retryAfterMs } from '#src/client/http/file-reply.js';
import { request } from '#src/client/http/request.js';
import { failureOf } from '../../../support/failures.js';
import { fileOrigin, honestReply, replyOf } from '../../../support/file-origin.js';
import { tempFolder } from '../../../support/temp.js';
import { PLAIN, WIRES } from '../../../support/wires.js';

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
  const { size } = await get(location, join(tempFolder(t), 'file'), { ...PLAIN.options, retries: 1 });
  assert.equal(size, newer.length);
});

test('an announced empty body that is not empty is noticed', async (t) => {
  const { location } = await fileOrigin(t, (socket) => {
    socket.end(Buffer.concat([replyOf(200, {}), Buffer.from('more')]));
  });
  const reply = await request(location, PLAIN.options);
  assert.equal((await failureOf(reply.read(async () => {}))).code, 'BAD_REPLY');
});

test('a body that is wanted whole by a time is not waited for longer, if nothing comes', async (t) => {
  const { location } = await fileOrigin(t, (socket) => socket.write(replyOf(200, { 'Content-Length': 9 })));
  const reply = await request(location, { ...PLAIN.options, timeoutMs: 600_000 });
  assert.equal((await failureOf(reply.bytes(100, 100))).code, 'TIMEOUT');
});

for (const wire of WIRES)
  test(`${wire.name}: a reply without a length, in another coding or with another status is an error`, async (t) => {
    for (const [status, fields, code] of [
      [200, { 'Content-Length': undefined, 'Transfer-Encoding': 'chunked' }, 'BAD_REPLY'],
      [200, { 'Content-Length': undefined }, 'BAD_REPLY'],
      [200, { 'Content-Encoding': 'br' }, 'BAD_REPLY'],
      [204, {}, 'HTTP_ERROR'],
      [302, { Location: '/x' }, 'HTTP_ERROR'],
      [301, { Location: './file/' }, 'HTTP_ERROR'],
    ] as const) {
      const { location } = await fileOrigin(t, (socket) => socket.end(replyOf(status, fields)), wire);
      const error = await failureOf(get(location, join(tempFolder(t), 'file'), wire.options));
      assert.equal(error.code, code);
      assert.match(error.message, /^hop 1 \(127\.0\.0\.1:\d+\) /);
    }
  });
