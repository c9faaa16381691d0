import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readdirSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { type GetOptions, type Location, get } from 'viaduct';
import { Attempts } from '#src/client/get/attempts.js';
import { outcomeOf } from '#src/cli/exit-codes.js';
import { failureOf } from '../../../support/failures.js';
import { fileOrigin, honestReply } from '../../../support/file-origin.js';
import { testChain } from '../../../support/nodes.js';
import { randomFile, tempFolder } from '../../../support/temp.js';
import { type Wire, WIRES } from '../../../support/wires.js';

const SIZE = 64 * 1024 * 1024;
const BYTES = randomBytes(10_000);

/** Expects that a download fails because the file keeps changing. */
async function keepsChanging(
  wire: Wire,
  location: Location,
  options: GetOptions,
  target: string,
): Promise<void> {
  const error = await failureOf(get(location, target, { ...wire.options, ...options }));
  assert.deepEqual([error.code, outcomeOf(error).exit], ['CHANGED', 18]);
  assert.match(
    error.message,
    /has yet another version of the file: it changed \d times during the download$/,
  );
}

/** An origin whose file has another version at each request, and which breaks each reply. */
function cutOrigin(t: TestContext, wire: Wire, lengthAt: (index: number) => number) {
  return fileOrigin(
    t,
    (socket, request, index) => {
      const reply = honestReply(BYTES, request, `"v${index}"`);
      socket.write(reply.subarray(0, lengthAt(index)), () => setImmediate(() => socket.end()));
    },
    wire,
  );
}

for (const wire of WIRES)
  describe(wire.name, () => {
    describe('counted are', () => {
      test('changes of the file, five in one download, whatever is saved in between', () => {
        const attempts = new Attempts(0, {});
        for (let change = 1; change <= 5; change += 1) {
          attempts.begin();
          assert.ok(attempts.next(1000 * change));
          assert.equal(attempts.change(), true);
        }
        assert.equal(attempts.change(), false);
        assert.equal(attempts.change(), false);
        assert.equal(attempts.changes, 6);
      });

      test('attempts without progress, and a restart is none, however much of the new version it saves', () => {
        const attempts = new Attempts(0, {});
        assert.equal(attempts.next(1000)?.attempt, 0);
        for (let count = 1; count <= 2; count += 1) {
          attempts.begin();
          attempts.change();
          attempts.restart();
          assert.equal(attempts.next(1000 + count)?.attempt, count);
        }
        attempts.begin();
        assert.equal(attempts.next(1002)?.attempt, 3);
        assert.equal(attempts.next(1003)?.attempt, 0, 'more of the same version is progress');
      });

      test('time from the first change on: what failed before was about another version', (t) => {
        let now = 1000;
        t.mock.method(performance, 'now', () => now);
        const attempts = new Attempts(0, { retryTimeMs: 5000 });
        const restart = (): number | undefined => {
          attempts.begin();
          attempts.change();
          attempts.restart();
          return attempts.next(1000)?.remainingMs;
        };
        assert.equal(attempts.next(1000)?.remainingMs, 5000);
        now = 60_000;
        assert.equal(restart(), 5000);
        now = 64_000;
        assert.equal(restart(), 1000);
        now = 66_000;
        assert.equal(restart(), undefined);
      });
    });

    describe('a file that changes all the time ends a download', () => {
      const limits: [string, GetOptions][] = [
        ['of attempts', { retries: 2 }],
        ['of time', { retryTimeMs: 1500 }],
      ];
      for (const [limit, options] of limits) {
        test(`within the limit ${limit}, at a node`, async (t) => {
          const root = tempFolder(t);
          randomFile(root, 'file', SIZE);
          const { route } = await testChain(t, 2, { root });
          const fd = openSync(join(root, 'file'), 'r+');
          t.after(() => closeSync(fd));
          let count = 0;
          const onEvent: GetOptions['onEvent'] = ({ type }) => {
            if (type === 'progress') writeSync(fd, 'x', (count += 1) % SIZE);
          };
          const target = join(tempFolder(t), 'copy');
          await keepsChanging(wire, { route, path: '/file' }, { ...options, onEvent }, target);
        });

        test(`within the limit ${limit}, if each attempt gets more than the one before`, async (t) => {
          const { location, asked } = await cutOrigin(t, wire, (index) => 5000 + 100 * index);
          await keepsChanging(wire, location, options, join(tempFolder(t), 'copy'));
          assert.ok(asked.length <= 6, `${asked.length} requests`);
        });
      }

      test('after five changes, with no limit', async (t) => {
        // The body is whole, but its digest is asked for, and that is of another version by then.
        const { location, asked } = await fileOrigin(
          t,
          (socket, request, index) =>
            socket.end(
              honestReply(BYTES, request, `"v${index}"`)
                .toString('latin1')
                .replace(/Repr-Digest: .*\r\n/, request.method === 'GET' ? 'Retry-After: 1\r\n' : ''),
              'latin1',
            ),
          wire,
        );
        const folder = tempFolder(t);
        await keepsChanging(wire, location, {}, join(folder, 'copy'));
        assert.equal(asked.filter(({ method }) => method === 'GET').length, 6);
        assert.deepEqual(readdirSync(folder), ['copy.part', 'copy.part.json']);
      });
    });
  });
