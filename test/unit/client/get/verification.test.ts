import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type GetEvent, get } from 'viaduct';
import { failureOf } from '../../../support/failures.js';
import { digestField, fileOrigin, honestReply, replyOf } from '../../../support/file-origin.js';
import { watchDescriptors } from '../../../support/leaks.js';
import { tempFolder } from '../../../support/temp.js';
import { outcomeOf } from '#src/cli/exit-codes.js';

const BYTES = randomBytes(10_000);
const OTHER = randomBytes(10_000);

function base64(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('base64');
}

describe('verification', () => {
  test('takes the digest of the reply, and asks for it if it is not there', async (t) => {
    const folder = tempFolder(t);
    const prompt = await fileOrigin(t, (socket, asked) => socket.end(honestReply(BYTES, asked)));
    const nothingMore = watchDescriptors();
    const { sha256 } = await get(prompt.location, join(folder, 'a'));
    assert.equal(sha256, base64(BYTES));
    assert.deepEqual(
      prompt.asked.map(({ method }) => method),
      ['GET'],
    );
    await nothingMore();

    const slow = await fileOrigin(t, (socket, { method }, index) => {
      const late = index < 3 ? { 'Retry-After': '1' } : { 'Repr-Digest': digestField(BYTES) };
      socket.end(replyOf(200, { ETag: '"v1"', ...late }, BYTES, method));
    });
    const phases: string[] = [];
    const onEvent = (event: GetEvent): void => void (event.type === 'phase' && phases.push(event.phase));
    await get(slow.location, join(folder, 'b'), { onEvent });
    assert.deepEqual(
      slow.asked.map(({ method }) => method),
      ['GET', 'HEAD', 'HEAD', 'HEAD'],
    );
    assert.deepEqual(phases, ['connecting', 'downloading', 'verifying']);
    assert.deepEqual(readdirSync(folder), ['a', 'b']);
  });

  test('removes what is damaged, and leaves the older file alone', async (t) => {
    const folder = tempFolder(t);
    writeFileSync(join(folder, 'file'), 'older');
    const { location } = await fileOrigin(t, (socket, { method }) => {
      socket.end(replyOf(200, { ETag: '"v1"', 'Repr-Digest': digestField(OTHER) }, BYTES, method));
    });
    const error = await failureOf(get(location, join(folder, 'file')));
    assert.deepEqual([error.code, outcomeOf(error).exit], ['DIGEST_MISMATCH', 110]);
    assert.deepEqual(readdirSync(folder), ['file']);
    assert.equal(readFileSync(join(folder, 'file'), 'utf8'), 'older');
  });

  test('reads again what was on disk before a resume', async (t) => {
    const folder = tempFolder(t);
    const { location } = await fileOrigin(t, (socket, asked) => socket.end(honestReply(BYTES, asked)));
    const { hop } = { hop: location.route[0] };
    assert.ok(hop);
    const source = `http://${hop.host}:${hop.port}/file`;
    writeFileSync(join(folder, 'file.part'), OTHER.subarray(0, 5000));
    writeFileSync(join(folder, 'file.part.json'), JSON.stringify({ source, etag: '"v1"', size: 10_000 }));
    assert.equal((await failureOf(get(location, join(folder, 'file')))).code, 'DIGEST_MISMATCH');
    assert.deepEqual(readdirSync(folder), []);
    await get(location, join(folder, 'file'));
    assert.ok(readFileSync(join(folder, 'file')).equals(BYTES));
  });

  test('starts over if the file changed before its digest was told', async (t) => {
    const folder = tempFolder(t);
    const { location, asked } = await fileOrigin(t, (socket, request, index) => {
      if (index === 0) socket.end(replyOf(200, { ETag: '"v1"' }, BYTES));
      else socket.end(honestReply(OTHER, request, '"v2"'));
    });
    await get(location, join(folder, 'file'));
    assert.ok(readFileSync(join(folder, 'file')).equals(OTHER));
    assert.deepEqual(
      asked.map(({ method, start }) => `${method} ${start}`),
      ['GET 0', 'HEAD 0', 'GET 0'],
    );
  });

  test('fails where the origin tells no digest, unless it is not wanted', async (t) => {
    const folder = tempFolder(t);
    const { location, asked } = await fileOrigin(t, (socket, { method }) => {
      socket.end(replyOf(200, { ETag: '"v1"' }, BYTES, method));
    });
    const error = await failureOf(get(location, join(folder, 'file')));
    assert.deepEqual([error.code, outcomeOf(error).exit], ['NO_DIGEST', 22]);
    assert.deepEqual(readdirSync(folder), ['file.part', 'file.part.json']);
    // What is there is whole, so no byte of it is asked for.
    const { sha256, received } = await get(location, join(folder, 'file'), { verify: false });
    assert.deepEqual([sha256, received, asked.length], [undefined, 0, 3]);
    assert.deepEqual(readdirSync(folder), ['file']);
  });

  test('of a stream says that what was written is damaged', async (t) => {
    const { location } = await fileOrigin(t, (socket, { method }) => {
      socket.end(replyOf(200, { ETag: '"v1"', 'Repr-Digest': digestField(OTHER) }, BYTES, method));
    });
    const chunks: Buffer[] = [];
    const error = await failureOf(get(location, async (chunk) => void chunks.push(Buffer.from(chunk))));
    assert.match(error.message, /: what was written is damaged$/);
    assert.ok(Buffer.concat(chunks).equals(BYTES));
  });
});

test('a stream is resumed, but cannot take back what has left', async (t) => {
  for (const [etag, code] of [
    ['"v1"', undefined],
    ['"v2"', 'CHANGED'],
  ] as const) {
    const { location } = await fileOrigin(t, (socket, asked, index) => {
      const reply = honestReply(BYTES, asked, index === 0 ? undefined : etag);
      if (index > 0) socket.end(reply);
      else socket.write(reply.subarray(0, 5000), () => setImmediate(() => socket.end()));
    });
    const chunks: Buffer[] = [];
    const getting = get(location, async (chunk) => void chunks.push(Buffer.from(chunk)));
    if (code !== undefined) assert.equal((await failureOf(getting)).code, code);
    else {
      await getting;
      assert.ok(Buffer.concat(chunks).equals(BYTES));
    }
  }
});
