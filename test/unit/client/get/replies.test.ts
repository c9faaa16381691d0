import { outcomeOf } from '#src/cli/exit-codes.js';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { type GetEvent, type GetOptions, type ViaductError, get } from 'viaduct';
import {
  type Asked,
  type FileOrigin,
  digestField,
  fileOrigin,
  honestReply,
  replyOf,
} from '../../../support/file-origin.js';
import { tempFolder } from '../../../support/temp.js';
import { type Wire, WIRES } from '../../../support/wires.js';

const BYTES = randomBytes(10_000);
const OTHER = randomBytes(12_000);
const CUT = 4000;

/** Sends the first part of a reply, and closes the connection after it was read. */
function sendCut(socket: Socket, reply: Buffer, length = CUT): void {
  const end = reply.indexOf('\r\n\r\n') + 4 + length;
  socket.write(reply.subarray(0, end), () => setImmediate(() => socket.end()));
}

interface Run {
  readonly folder: string;
  readonly events: readonly GetEvent[];
  readonly error?: ViaductError;
}

/** The folder contains exactly the file. */
function assertWhole({ folder, error }: Run, bytes: Buffer): void {
  assert.equal(error, undefined);
  assert.deepEqual(readdirSync(folder), ['file']);
  assert.ok(readFileSync(join(folder, 'file')).equals(bytes));
}

function reasonsOf({ events }: Run): string[] {
  return events.flatMap((event) => (event.type === 'restart' ? [event.reason] : []));
}

/** Fetches into `file` of a new folder. */
async function run(
  t: TestContext,
  wire: Wire,
  { location }: FileOrigin,
  options: GetOptions = {},
  folder = tempFolder(t),
): Promise<Run> {
  const events: GetEvent[] = [];
  const getting = get(location, join(folder, 'file'), {
    ...wire.options,
    timeoutMs: 5000,
    ...options,
    onEvent: (event) => events.push(event),
  });
  const error = await getting.then(
    () => undefined,
    (reason: ViaductError) => reason,
  );
  return { folder, events, ...(error && { error }) };
}

/** The first request is cut after 4000 bytes; `then` answers the others. */
function cutOnce(
  t: TestContext,
  wire: Wire,
  then: (asked: Asked) => Buffer,
  { etag }: { etag?: string | undefined } = { etag: '"v1"' },
) {
  return fileOrigin(
    t,
    (socket, asked, index) => {
      if (index === 0) sendCut(socket, replyOf(200, { ETag: etag }, BYTES));
      else socket.end(then(asked));
    },
    wire,
  );
}

for (const wire of WIRES)
  describe(wire.name, () => {
    describe('a broken connection', { concurrency: true }, () => {
      test('is resumed with Range and If-Range', async (t) => {
        const origin = await cutOnce(t, wire, (asked) => honestReply(BYTES, asked));
        const ran = await run(t, wire, origin);
        assertWhole(ran, BYTES);
        assert.deepEqual(origin.asked[1], { method: 'GET', path: '/file', start: CUT, ifRange: '"v1"' });
        const retry = ran.events.find((event) => event.type === 'retry');
        assert.equal(retry?.attempt, 0);
        assert.equal(retry.error.code, 'CUT_SHORT');
        assert.deepEqual(reasonsOf(ran), []);
      });

      test('is not resumed with retries: 0, but by the next call', async (t) => {
        const origin = await cutOnce(t, wire, (asked) => honestReply(BYTES, asked));
        const first = await run(t, wire, origin, { retries: 0 });
        assert.equal(first.error && outcomeOf(first.error).exit, 18);
        assert.deepEqual(readdirSync(first.folder), ['file.part', 'file.part.json']);
        assert.deepEqual(first.events.at(-1), {
          type: 'kept',
          path: join(first.folder, 'file.part'),
          bytes: CUT,
          size: BYTES.length,
        });
        assertWhole(await run(t, wire, origin, { retries: 0 }, first.folder), BYTES);
        assert.equal(origin.asked.find(({ start }) => start === CUT)?.ifRange, '"v1"');
      });

      test('starts over if the file has changed', async (t) => {
        const ran = await run(t, wire, await cutOnce(t, wire, (asked) => honestReply(OTHER, asked, '"v2"')));
        assertWhole(ran, OTHER);
        assert.deepEqual(reasonsOf(ran), ['the file has changed']);
      });

      for (const etag of ['W/"v1"', undefined, '"v1', 'v1']) {
        test(`starts over without a strong ETag (${etag})`, async (t) => {
          const origin = await cutOnce(
            t,
            wire,
            (asked) => replyOf(200, { ETag: etag, 'Repr-Digest': digestField(BYTES) }, BYTES, asked.method),
            { etag },
          );
          const ran = await run(t, wire, origin);
          assertWhole(ran, BYTES);
          assert.deepEqual(reasonsOf(ran), ['the file has no strong ETag']);
          assert.equal(origin.asked[1]?.start, 0);
        });
      }

      test('starts over if the origin does not support ranges', async (t) => {
        const ran = await run(
          t,
          wire,
          await cutOnce(t, wire, (asked) =>
            replyOf(200, { ETag: '"v1"', 'Repr-Digest': digestField(BYTES) }, BYTES, asked.method),
          ),
        );
        assertWhole(ran, BYTES);
        assert.deepEqual(reasonsOf(ran), ['the origin does not support ranges']);
      });

      test('starts over if the range is outside of the file', async (t) => {
        const origin = await cutOnce(t, wire, (asked) => {
          if (asked.start === 0) return honestReply(OTHER, asked, '"v2"');
          return replyOf(
            416,
            { 'Content-Type': 'application/problem+json' },
            JSON.stringify({ code: 'RANGE_NOT_SATISFIABLE' }),
          );
        });
        assertWhole(await run(t, wire, origin), OTHER);
      });

      test('is retried up to the limit of consecutive attempts without progress', async (t) => {
        const origin = await fileOrigin(
          t,
          (socket, asked, index) => {
            if (index === 0) sendCut(socket, honestReply(BYTES, asked));
            else socket.end();
          },
          wire,
        );
        const { error, events } = await run(t, wire, origin, { retries: 2 });
        assert.equal(error?.code, 'CUT_SHORT');
        const attempts = events.flatMap((event) => (event.type === 'retry' ? [event.attempt] : []));
        assert.deepEqual(attempts, [0, 1, 2]);
        assert.equal(origin.asked.length, 4);
      });

      test('is resumed as long as there is progress', async (t) => {
        const origin = await fileOrigin(
          t,
          (socket, asked) => {
            if (asked.method === 'HEAD' || asked.start > 8000) socket.end(honestReply(BYTES, asked));
            else sendCut(socket, honestReply(BYTES, asked), 2500);
          },
          wire,
        );
        assertWhole(await run(t, wire, origin, { retries: 1 }), BYTES);
      });
    });

    describe('a 206', { concurrency: true }, () => {
      const rest = BYTES.subarray(CUT);
      const part =
        (fields: Readonly<Record<string, string | undefined>>, body = rest) =>
        (asked: Asked) =>
          asked.start === 0
            ? honestReply(BYTES, asked)
            : replyOf(206, { ETag: '"v1"', 'Content-Range': 'bytes 4000-9999/10000', ...fields }, body);
      for (const [what, answer] of [
        ['without Content-Range', part({ 'Content-Range': undefined })],
        ['of another start', part({ 'Content-Range': 'bytes 3999-9999/10000' }, BYTES.subarray(3999))],
        ['of another end', part({ 'Content-Range': 'bytes 4000-9998/10000' }, BYTES.subarray(CUT, 9999))],
        ['of another length', part({}, Buffer.concat([rest, Buffer.from('x')]))],
        ['of unknown total', part({ 'Content-Range': 'bytes 4000-9999/*' })],
        ['of another unit', part({ 'Content-Range': 'lines 4000-9999/10000' })],
        ['in another coding', part({ 'Content-Encoding': 'gzip' })],
      ] as const) {
        test(`${what} is an error`, async (t) => {
          const ran = await run(t, wire, await cutOnce(t, wire, answer));
          assert.equal(ran.error?.code, 'BAD_REPLY');
          assert.equal(existsSync(join(ran.folder, 'file')), false);
        });
      }

      for (const [what, answer] of [
        ['another ETag', part({ ETag: '"v2"' })],
        ['a weak ETag', part({ ETag: 'W/"v1"' })],
        ['no ETag', part({ ETag: undefined })],
        ['another total', part({ 'Content-Range': 'bytes 4000-9999/10001' })],
      ] as const) {
        test(`of ${what} starts over`, async (t) => {
          const origin = await cutOnce(t, wire, answer);
          assertWhole(await run(t, wire, origin), BYTES);
          assert.deepEqual(origin.asked.map(({ start }) => start).slice(0, 3), [0, CUT, 0]);
        });
      }

      test('that was not requested is an error', async (t) => {
        const { error } = await run(
          t,
          wire,
          await fileOrigin(
            t,
            (socket) => socket.end(part({})({ method: 'GET', path: '/', start: 1, ifRange: '' })),
            wire,
          ),
        );
        assert.equal(error?.code, 'HTTP_ERROR');
      });
    });
  });
