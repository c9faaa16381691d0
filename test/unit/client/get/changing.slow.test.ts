import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  linkSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { type GetEvent, type GetOptions, formatLocation, get } from 'viaduct';
import { failureOf } from '../../../support/failures.js';
import { testChain } from '../../../support/nodes.js';
import { runInProcess } from '../../../support/program.js';
import { randomFile, tempFolder } from '../../../support/temp.js';
import { type Wire, WIRES } from '../../../support/wires.js';

const SIZE = 64 * 1024 * 1024;

/** Runs once, at the first call. */
function atFirst(act: () => void): (count: number) => void {
  return (count) => {
    if (count === 1) act();
  };
}

/** A file behind two nodes, and a download of it during which something happens as soon as the first bytes came. */
async function prepare(t: TestContext, wire: Wire, size = SIZE) {
  const root = tempFolder(t);
  const bytes = randomFile(root, 'file', size);
  const { route, nodes } = await testChain(t, 2, { root });
  const target = join(tempFolder(t), 'copy');
  const events: GetEvent[] = [];
  const fetchWhile = (happens: (count: number) => void, options: GetOptions = {}) => {
    let count = 0;
    const onEvent = (event: GetEvent): void => {
      events.push(event);
      if (event.type === 'progress') happens((count += 1));
    };
    return get({ route, path: '/file' }, target, { ...wire.options, ...options, onEvent });
  };
  const types = (): string[] => events.map(({ type }) => type);
  return {
    path: join(root, 'file'),
    root,
    bytes,
    route,
    origin: nodes[1],
    target,
    events,
    types,
    fetchWhile,
  };
}

for (const wire of WIRES)
  describe(wire.name, () => {
    describe('a file that changes while it is fetched', () => {
      test('and only grows, such as a log, is fetched as it was, once, and verified', async (t) => {
        const { path, bytes, target, events, types, fetchWhile } = await prepare(t, wire, 20_000_000);
        const { received, sha256 } = await fetchWhile(() => appendFileSync(path, 'one more line\n'));
        assert.equal(received, bytes.length);
        assert.ok(sha256 !== undefined);
        assert.ok(readFileSync(target).equals(bytes));
        assert.ok(!types().includes('restart'));
        const grown = events.find((event) => event.type === 'grown');
        assert.equal(grown?.bytes, bytes.length);
        assert.ok(grown.size > bytes.length);
      });

      test('and has grown before a resume is resumed', async (t) => {
        const { path, bytes, target, types, fetchWhile } = await prepare(t, wire, 20_000_000);
        const abort = new AbortController();
        const stop = atFirst(() => abort.abort(new Error('stop')));
        await assert.rejects(fetchWhile(stop, { signal: abort.signal }));
        appendFileSync(path, 'one more line\n');
        const { received } = await fetchWhile(() => {});
        assert.ok(received < bytes.length);
        assert.ok(readFileSync(target).equals(bytes));
        assert.ok(!types().includes('restart'));
      });

      test('and is written anew with more bytes is fetched anew', async (t) => {
        const { path, target, fetchWhile } = await prepare(t, wire, 5_000_000);
        const other = randomBytes(6_000_000);
        await fetchWhile(atFirst(() => writeFileSync(path, other)));
        assert.ok(readFileSync(target).equals(other));
      });

      const other = randomBytes(SIZE);
      for (const [what, change] of [
        ['in place', (path: string) => writeFileSync(path, other, { flag: 'r+' })],
        [
          'by another file of its name',
          (path: string) => {
            writeFileSync(`${path}.new`, other);
            renameSync(`${path}.new`, path);
          },
        ],
      ] as const) {
        test(`${what} is noticed long before its end`, async (t) => {
          const { path, target, types, origin, fetchWhile } = await prepare(t, wire);
          const { received } = await fetchWhile(atFirst(() => change(path)));
          assert.ok(received < 1.7 * SIZE, `${received} bytes were received`);
          assert.ok(readFileSync(target).equals(other));
          assert.ok(types().includes('restart'));
          const failed = origin?.events.find((event) => event.type === 'failed');
          assert.equal(failed?.error.code, 'CHANGED');
        });
      }

      for (const [what, change] of [
        ['gets another name beside', (path: string) => linkSync(path, `${path}.link`)],
        ['gets another mode', (path: string) => chmodSync(path, 0o600)],
      ] as const) {
        test(`and only ${what} is fetched once, and verified`, async (t) => {
          const { path, bytes, target, events, types, fetchWhile } = await prepare(t, wire);
          const { received, sha256 } = await fetchWhile(atFirst(() => change(path)));
          assert.deepEqual([received, sha256 !== undefined], [bytes.length, true]);
          assert.ok(readFileSync(target).equals(bytes));
          const odd = events.filter(({ type }) => ['restart', 'retry', 'grown'].includes(type));
          assert.deepEqual([odd, types().at(-1)], [[], 'phase']);
        });

        test(`and only ${what} before a resume is resumed if it is verified`, async (t) => {
          for (const verify of [true, false]) {
            const { path, bytes, target, types, fetchWhile } = await prepare(t, wire, 20_000_000);
            const abort = new AbortController();
            const stop = atFirst(() => abort.abort(new Error('stop')));
            await assert.rejects(fetchWhile(stop, { signal: abort.signal, verify }));
            change(path);
            const { received } = await fetchWhile(() => {}, { verify });
            assert.equal(received < bytes.length, verify);
            assert.ok(readFileSync(target).equals(bytes));
            assert.equal(types().includes('restart'), !verify);
          }
        });
      }

      test('and is renamed is sent to its end', async (t) => {
        const { path, bytes, target, origin, fetchWhile } = await prepare(t, wire);
        const error = await failureOf(fetchWhile(atFirst(() => renameSync(path, `${path}.old`))));
        assert.equal(error.code, 'UNVERIFIED');
        assert.ok(readFileSync(`${target}.part`).equals(bytes));
        const reset = origin?.events.find(
          (event) => event.type === 'failed' && event.error.code === 'CHANGED',
        );
        assert.equal(reset, undefined);
      });

      test('and is renamed, with another file under its name, is noticed before its end', async (t) => {
        const { path, target, fetchWhile } = await prepare(t, wire);
        const { received } = await fetchWhile(
          atFirst(() => {
            renameSync(path, `${path}.old`);
            writeFileSync(path, other);
          }),
        );
        assert.ok(received < 1.7 * SIZE, `${received} bytes were received`);
        assert.ok(readFileSync(target).equals(other));
      });

      test('in place, with its time set back, is noticed by its digest and fetched anew', async (t) => {
        const { path, target, types, fetchWhile } = await prepare(t, wire);
        utimesSync(path, 1e9, 1e9);
        await fetchWhile(
          atFirst(() => {
            writeFileSync(path, other, { flag: 'r+' });
            utimesSync(path, 1e9, 1e9);
          }),
        );
        assert.ok(readFileSync(target).equals(other));
        assert.ok(types().includes('restart'));
        assert.equal(statSync(path).mtimeMs, 1e12);
      });

      test('and is deleted is sent to its end', async (t) => {
        const { path, bytes, target, fetchWhile } = await prepare(t, wire);
        const error = await failureOf(fetchWhile(atFirst(() => rmSync(path))));
        assert.deepEqual([error.code, error.hopNumber], ['UNVERIFIED', 2]);
        assert.ok(readFileSync(`${target}.part`).equals(bytes));
      });
    });

    test('get prints that a file has grown', async (t) => {
      const { path, route, bytes } = await prepare(t, wire, 20_000_000);
      const folder = tempFolder(t);
      const log = await open(path, 'a');
      t.after(() => log.close());
      const ended = new AbortController();
      const growing = (async () => {
        while (!ended.signal.aborted) await log.write('one more line\n');
      })();
      const run = await runInProcess(['get', ...wire.args, formatLocation({ route, path: '/file' })], {
        cwd: folder,
      });
      ended.abort();
      await growing;
      assert.equal(run.code, 0);
      assert.match(
        run.stderr,
        /^viaduct: the file has grown at its origin: fetched the first 19\.\d MiB of \d+\.\d MiB\n$/,
      );
      assert.ok(readFileSync(join(folder, 'file')).subarray(0, bytes.length).equals(bytes));
    });
  });
