import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type FileListener, type GetItem, type ViaductError, getAll } from 'viaduct';
import { fileOrigin, honestReply, replyOf } from '../../../support/file-origin.js';
import { tempFolder } from '../../../support/temp.js';
import { WIRES } from '../../../support/wires.js';

const CONTENT = Buffer.from('content');
const NOBODY = { route: [{ host: '127.0.0.1', port: 1025 }], path: '/file' };

function listener(failed: (error: ViaductError) => void = () => {}): FileListener {
  return { event: () => {}, complete: () => {}, failed };
}

for (const wire of WIRES)
  describe(wire.name, () => {
    test('a broken route ends the downloads over it, and no others', async (t) => {
      const folder = tempFolder(t);
      const reported = new AbortController();
      const { location } = await fileOrigin(
        t,
        (socket, asked) => {
          const answer = (): void => void socket.end(honestReply(CONTENT, asked));
          if (reported.signal.aborted) answer();
          else reported.signal.addEventListener('abort', answer);
        },
        wire,
      );
      const items: GetItem[] = [
        { location: NOBODY, target: join(folder, 'a'), recursive: false },
        { location, target: join(folder, 'b'), recursive: false },
      ];
      const totals = await getAll(items, {
        ...wire.options,
        retries: 0,
        onFile: () => listener(() => reported.abort()),
      });
      assert.deepEqual([totals.files, totals.failures, totals.firstFailure?.code], [1, 1, 'REFUSED']);
      assert.deepEqual(readdirSync(folder), ['b']);
    });

    test('a listing is retried only after a first one was received', async (t) => {
      const folder = tempFolder(t);
      const broken = await fileOrigin(t, (socket) => socket.destroy(), wire);
      const from = { ...broken.location, path: '/' };
      const options = { retries: 1, onFile: () => listener() };
      const first = await getAll([{ location: from, target: join(folder, 'a'), recursive: true }], {
        ...wire.options,
        ...options,
      });
      assert.deepEqual([first.failures, broken.asked.length], [1, 1]);

      const modified = '2001-02-03T04:05:06.000Z';
      const { location, asked } = await fileOrigin(
        t,
        (socket, { path }, index) => {
          const entries =
            path === '/' ? `\n${JSON.stringify({ name: 'sub', type: 'folder', modified })}\n` : '\n';
          if (index === 1) socket.destroy();
          else
            socket.end(
              replyOf(
                200,
                { 'Content-Type': 'application/json' },
                `{"path":"${path}","entries":[${entries}]}\n`,
              ),
            );
        },
        wire,
      );
      const item = { location: { ...location, path: '/' }, target: join(folder, 'b'), recursive: true };
      assert.equal((await getAll([item], { ...wire.options, ...options })).failures, 0);
      assert.deepEqual(
        asked.map(({ path }) => path),
        ['/', '/sub/', '/sub/'],
      );
    });

    test('many downloads at the same time cause no warning', async (t) => {
      const warnings: Error[] = [];
      const note = (warning: Error): void => void warnings.push(warning);
      process.on('warning', note);
      t.after(() => process.off('warning', note));
      const folder = tempFolder(t);
      const count = 20;
      const waiting: (() => void)[] = [];
      const { location } = await fileOrigin(
        t,
        (socket, asked) => {
          const reply = honestReply(CONTENT, asked);
          socket.write(reply.subarray(0, -1));
          waiting.push(() => socket.end(reply.subarray(-1)));
          if (waiting.length === count) for (const go of waiting) go();
        },
        wire,
      );
      const items = Array.from({ length: count }, (_, index) => ({
        location,
        target: join(folder, `file-${index}`),
        recursive: false,
      }));
      const { signal } = new AbortController();
      const totals = await getAll(items, {
        ...wire.options,
        signal,
        transfers: count,
        retries: 0,
        onFile: () => listener(),
      });
      assert.equal(totals.files, count);
      assert.deepEqual(warnings, []);
    });

    test('the rate limit is that of all files together', async (t) => {
      const bytes = Buffer.alloc(32_000, 'x');
      const { location } = await fileOrigin(
        t,
        (socket, asked) => void socket.end(honestReply(bytes, asked)),
        wire,
      );
      const folder = tempFolder(t);
      const items = ['a', 'b', 'c', 'd'].map((name) => ({
        location,
        target: join(folder, name),
        recursive: false,
      }));
      const began = performance.now();
      const totals = await getAll(items, { ...wire.options, limitRate: 128_000, onFile: () => listener() });
      assert.equal(totals.files, 4);
      assert.ok(performance.now() - began >= 980);
    });

    test('retryConnect: a break before the first reply is retried, also of a listing', async (t) => {
      for (const recursive of [false, true]) {
        const broken = async () =>
          fileOrigin(
            t,
            (socket, asked, index) => {
              const listing = replyOf(
                200,
                { 'Content-Type': 'application/json' },
                '{"path":"/","entries":[\n]}\n',
              );
              if (index === 0) socket.destroy();
              else socket.end(recursive ? listing : honestReply(CONTENT, asked));
            },
            wire,
          );
        const run = async (retryConnect: boolean) => {
          const { location } = await broken();
          const target = join(tempFolder(t), 'target');
          const item = { location: { ...location, path: recursive ? '/' : '/file' }, target, recursive };
          let retries = 0;
          const event: FileListener['event'] = ({ type }) => void (retries += type === 'retry' ? 1 : 0);
          const { failures } = await getAll([item], {
            ...wire.options,
            retryConnect,
            onFile: () => ({ ...listener(), event }),
            onListingRetry: () => (retries += 1),
          });
          return [failures, retries];
        };
        assert.deepEqual(await run(true), [0, 1]);
        assert.deepEqual(await run(false), [1, 0]);
      }
    });
  });
