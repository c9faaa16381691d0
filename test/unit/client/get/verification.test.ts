import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type GetEvent, formatLocation, get } from 'viaduct';
import { failureOf } from '../../../support/failures.js';
import { digestField, fileOrigin, honestReply, replyOf } from '../../../support/file-origin.js';
import { watchDescriptors } from '../../../support/leaks.js';
import { sparseFile, tempFolder } from '../../../support/temp.js';
import { outcomeOf } from '#src/cli/exit-codes.js';
import { WIRES } from '../../../support/wires.js';

const BYTES = randomBytes(10_000);
const OTHER = randomBytes(10_000);

for (const wire of WIRES)
  describe(wire.name, () => {
    describe('verification', () => {
      test('uses the digest in the reply, and requests it if there is none', async (t) => {
        const folder = tempFolder(t);
        const prompt = await fileOrigin(t, (socket, asked) => socket.end(honestReply(BYTES, asked)), wire);
        const nothingMore = watchDescriptors();
        const { sha256 } = await get(prompt.location, join(folder, 'a'), wire.options);
        assert.equal(sha256, createHash('sha256').update(BYTES).digest('hex'));
        assert.deepEqual(
          prompt.asked.map(({ method }) => method),
          ['GET'],
        );
        await nothingMore();

        const slow = await fileOrigin(
          t,
          (socket, { method }, index) => {
            const late = index < 3 ? { 'Retry-After': '1' } : { 'Repr-Digest': digestField(BYTES) };
            socket.end(replyOf(200, { ETag: '"v1"', ...late }, BYTES, method));
          },
          wire,
        );
        const phases: string[] = [];
        const onEvent = (event: GetEvent): void => void (event.type === 'phase' && phases.push(event.phase));
        await get(slow.location, join(folder, 'b'), { ...wire.options, onEvent });
        assert.deepEqual(
          slow.asked.map(({ method }) => method),
          ['GET', 'HEAD', 'HEAD', 'HEAD'],
        );
        assert.deepEqual(phases, ['connecting', 'downloading', 'verifying']);
        assert.deepEqual(readdirSync(folder), ['a', 'b']);
      });

      test('removes a damaged file, and leaves the older file alone', async (t) => {
        const folder = tempFolder(t);
        writeFileSync(join(folder, 'file'), 'older');
        const { location } = await fileOrigin(
          t,
          (socket, { method }) => {
            socket.end(replyOf(200, { ETag: '"v1"', 'Repr-Digest': digestField(OTHER) }, BYTES, method));
          },
          wire,
        );
        const error = await failureOf(get(location, join(folder, 'file'), wire.options));
        assert.deepEqual([error.code, outcomeOf(error).exit], ['DIGEST_MISMATCH', 110]);
        assert.deepEqual(readdirSync(folder), ['file']);
        assert.equal(readFileSync(join(folder, 'file'), 'utf8'), 'older');
      });

      test('covers the bytes that were on disk before a resume', async (t) => {
        const folder = tempFolder(t);
        const { location } = await fileOrigin(
          t,
          (socket, asked) => socket.end(honestReply(BYTES, asked)),
          wire,
        );
        const source = formatLocation(location);
        writeFileSync(join(folder, 'file.part'), OTHER.subarray(0, 5000));
        writeFileSync(join(folder, 'file.part.json'), JSON.stringify({ source, etag: '"v1"', size: 10_000 }));
        assert.equal(
          (await failureOf(get(location, join(folder, 'file'), wire.options))).code,
          'DIGEST_MISMATCH',
        );
        assert.deepEqual(readdirSync(folder), []);
        await get(location, join(folder, 'file'), wire.options);
        assert.ok(readFileSync(join(folder, 'file')).equals(BYTES));
      });

      test('starts over if the file changed before the origin reported its digest', async (t) => {
        const folder = tempFolder(t);
        const { location, asked } = await fileOrigin(
          t,
          (socket, request, index) => {
            if (index === 0) socket.end(replyOf(200, { ETag: '"v1"' }, BYTES));
            else socket.end(honestReply(OTHER, request, '"v2"'));
          },
          wire,
        );
        await get(location, join(folder, 'file'), wire.options);
        assert.ok(readFileSync(join(folder, 'file')).equals(OTHER));
        assert.deepEqual(
          asked.map(({ method, start }) => `${method} ${start}`),
          ['GET 0', 'HEAD 0', 'GET 0'],
        );
      });

      test('fails before anything is transferred if the origin reports no digest, unless it is off', async (t) => {
        const folder = tempFolder(t);
        const { location, asked } = await fileOrigin(
          t,
          (socket, { method }) => {
            socket.end(replyOf(200, { ETag: '"v1"', 'Retry-After': undefined }, BYTES, method));
          },
          wire,
        );
        const error = await failureOf(get(location, join(folder, 'file'), wire.options));
        assert.deepEqual([error.code, outcomeOf(error).exit], ['NO_DIGEST', 22]);
        assert.deepEqual([readdirSync(folder), asked.length], [[], 1]);
        const { sha256, received } = await get(location, join(folder, 'file'), {
          ...wire.options,
          verify: false,
        });
        assert.deepEqual([sha256, received, asked.length], [undefined, BYTES.length, 2]);
        assert.deepEqual(readdirSync(folder), ['file']);
      });

      test('fails if the origin promises a digest and then reports none; what was received is kept', async (t) => {
        const folder = tempFolder(t);
        const { location, asked } = await fileOrigin(
          t,
          (socket, { method }) => {
            socket.end(replyOf(200, { ETag: '"v1"' }, BYTES, method));
          },
          wire,
        );
        const error = await failureOf(get(location, join(folder, 'file'), wire.options));
        assert.deepEqual([error.code, outcomeOf(error).exit], ['NO_DIGEST', 22]);
        assert.deepEqual(readdirSync(folder), ['file.part', 'file.part.json']);
        // The partial file is complete, so no byte of it is requested.
        const { sha256, received } = await get(location, join(folder, 'file'), {
          ...wire.options,
          verify: false,
        });
        assert.deepEqual([sha256, received, asked.length], [undefined, 0, 3]);
        assert.deepEqual(readdirSync(folder), ['file']);
      });

      test('of a stream reports that the output is damaged', async (t) => {
        const { location } = await fileOrigin(
          t,
          (socket, { method }) => {
            socket.end(replyOf(200, { ETag: '"v1"', 'Repr-Digest': digestField(OTHER) }, BYTES, method));
          },
          wire,
        );
        const chunks: Buffer[] = [];
        const error = await failureOf(
          get(location, async (chunk) => void chunks.push(Buffer.from(chunk)), wire.options),
        );
        assert.match(error.message, /; the output is damaged$/);
        assert.ok(Buffer.concat(chunks).equals(BYTES));
      });
    });

    test('a stream is resumed, but cannot start over', async (t) => {
      for (const [etag, code] of [
        ['"v1"', undefined],
        ['"v2"', 'CHANGED'],
      ] as const) {
        const { location } = await fileOrigin(
          t,
          (socket, asked, index) => {
            const reply = honestReply(BYTES, asked, index === 0 ? undefined : etag);
            if (index > 0) socket.end(reply);
            else socket.write(reply.subarray(0, 5000), () => setImmediate(() => socket.end()));
          },
          wire,
        );
        const chunks: Buffer[] = [];
        const getting = get(location, async (chunk) => void chunks.push(Buffer.from(chunk)), wire.options);
        if (code !== undefined) assert.equal((await failureOf(getting)).code, code);
        else {
          await getting;
          assert.ok(Buffer.concat(chunks).equals(BYTES));
        }
      }
    });

    test('an interruption does not wait for the verification, and keeps the partial file', async (t) => {
      const folder = tempFolder(t);
      const size = 200 * 1024 * 1024;
      const { location } = await fileOrigin(
        t,
        (socket, { method }) => {
          const fields = { 'Content-Range': `bytes ${size - 1}-${size - 1}/${size}`, ETag: '"v1"' };
          const digest = { 'Repr-Digest': digestField(Buffer.from('other')) };
          socket.end(replyOf(206, { ...fields, ...digest }, 'x', method));
        },
        wire,
      );
      sparseFile(folder, 'file.part', size - 1);
      const sidecar = { source: formatLocation(location), etag: '"v1"', size };
      writeFileSync(join(folder, 'file.part.json'), JSON.stringify(sidecar));
      const abort = new AbortController();
      const getting = get(location, join(folder, 'file'), {
        ...wire.options,
        signal: abort.signal,
        onEvent: (event) =>
          void (event.type === 'phase' && event.phase === 'verifying' && abort.abort(new Error('enough'))),
      });
      await assert.rejects(getting, /enough/);
      assert.ok(existsSync(join(folder, 'file.part')));
    });
  });
