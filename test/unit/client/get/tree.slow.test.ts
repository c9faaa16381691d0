import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { type GetSummary, type Location, type ViaductError, getAll } from 'viaduct';
import { fileOrigin, honestReply, replyOf } from '../../../support/file-origin.js';
import { testChain } from '../../../support/nodes.js';
import { tempFolder } from '../../../support/temp.js';
import { type Wire, WIRES } from '../../../support/wires.js';

interface Run {
  readonly totals: GetSummary;
  readonly failures: ReadonlyMap<string, ViaductError>;
}

/** A chain of three nodes that serves a tree of folders. */
async function served(t: TestContext) {
  const root = tempFolder(t);
  mkdirSync(join(root, 'sub/deep'), { recursive: true });
  mkdirSync(join(root, 'empty'));
  for (const name of ['a', 'sub/b', 'sub/deep/c']) writeFileSync(join(root, name), name);
  const { route } = await testChain(t, 3, { root });
  return { root, location: { route, path: '/' } };
}

/** A server whose root folder contains these names, and whose files all contain `content`. */
function listing(t: TestContext, wire: Wire, names: readonly string[], type = 'file') {
  const content = Buffer.from('content');
  return fileOrigin(
    t,
    (socket, asked) => {
      if (!asked.path.endsWith('/')) return void socket.end(honestReply(content, asked));
      const modified = '2001-02-03T04:05:06.000Z';
      const entries =
        asked.path === '/'
          ? names.map((name) =>
              JSON.stringify({ name, type, size: type === 'file' ? 7 : undefined, modified }),
            )
          : [];
      const text = `{"path":"/","entries":[\n${entries.join(',\n')}${entries.length > 0 ? '\n' : ''}]}\n`;
      socket.end(replyOf(200, { 'Content-Type': 'application/json' }, text));
    },
    wire,
  );
}

/** Fetches a whole folder. */
async function fetchTree(wire: Wire, location: Location, target: string): Promise<Run> {
  const failures = new Map<string, ViaductError>();
  const totals = await getAll([{ location, target, recursive: true }], {
    ...wire.options,
    retries: 0,
    onFile: (name) => ({
      event: () => {},
      complete: () => {},
      failed: (error) => void failures.set(name, error),
    }),
  });
  return { totals, failures };
}

for (const wire of WIRES)
  describe(wire.name, () => {
    describe('a hostile listing', () => {
      const names = ['..', '.', '', '/etc/passwd', '../out', 'a/b', 'a/../../out', 'nul\0', '/'];
      for (const type of ['file', 'folder']) {
        for (const name of names) {
          test(`with the ${type} ${JSON.stringify(name)} is refused, and nothing is written`, async (t) => {
            const { location } = await listing(t, wire, ['good', name], type);
            const folder = tempFolder(t);
            const { totals, failures } = await fetchTree(
              wire,
              { ...location, path: '/' },
              join(folder, 'tree'),
            );
            assert.deepEqual([totals.files, totals.failures, totals.firstFailure?.code], [0, 1, 'BAD_REPLY']);
            assert.deepEqual([...failures.keys()], [join(folder, 'tree')]);
            assert.deepEqual(readdirSync(folder), []);
          });
        }
      }

      test('may contain unusual file names', async (t) => {
        const odd = [
          '\u001b]0;x\u0007',
          'a\nb',
          '-rf',
          'con',
          '@h1:1',
          '%2e%2e',
          'a\\b',
          '...',
          '~',
          '\u202e',
        ];
        const { location } = await listing(t, wire, odd);
        const folder = tempFolder(t);
        const { totals } = await fetchTree(wire, { ...location, path: '/' }, folder);
        assert.deepEqual([totals.files, totals.failures], [odd.length, 0]);
        assert.deepEqual(readdirSync(folder).toSorted(), odd.toSorted());
      });
    });

    describe('a folder', () => {
      test('is fetched with its subfolders and times; the next time, only files that changed', async (t) => {
        const { root, location } = await served(t);
        const folder = join(tempFolder(t), 'tree');
        assert.equal((await fetchTree(wire, location, folder)).totals.files, 3);
        for (const name of ['a', 'sub/b', 'sub/deep/c']) {
          assert.equal(readFileSync(join(folder, name), 'utf8'), name);
          const seconds = (path: string): number => Math.floor(statSync(join(path, name)).mtimeMs / 1000);
          assert.equal(seconds(folder), seconds(root));
        }
        assert.deepEqual(readdirSync(join(folder, 'empty')), []);
        writeFileSync(join(root, 'sub/b'), 'changed');
        writeFileSync(join(root, 'new'), 'new');
        const { totals } = await fetchTree(wire, location, folder);
        assert.deepEqual([totals.files, totals.skipped, totals.failures], [2, 2, 0]);
        assert.equal(readFileSync(join(folder, 'sub/b'), 'utf8'), 'changed');
      });

      test('is not written through symbolic links', async (t) => {
        const { location } = await served(t);
        const [folder, outside] = [tempFolder(t), tempFolder(t)];
        symlinkSync(outside, join(folder, 'sub'));
        writeFileSync(join(outside, 'file'), 'outside');
        symlinkSync(join(outside, 'file'), join(folder, 'a'));
        const { totals, failures } = await fetchTree(wire, location, folder);
        assert.equal(totals.failures, 2);
        assert.match(
          failures.get(join(folder, 'sub'))?.message ?? '',
          /it already exists and is not a folder/,
        );
        assert.match(failures.get(join(folder, 'a'))?.message ?? '', /it is a link/);
        assert.deepEqual(readdirSync(outside), ['file']);
        assert.equal(readFileSync(join(outside, 'file'), 'utf8'), 'outside');
      });

      test('is given up immediately if the route is broken', async (t) => {
        const { location } = await served(t);
        const broken = {
          ...location,
          route: [...location.route.slice(0, -1), { host: '127.0.0.1', port: 1025 }],
        };
        const { totals } = await fetchTree(wire, broken, join(tempFolder(t), 'tree'));
        assert.deepEqual([totals.failures, totals.firstFailure?.code], [1, 'REFUSED']);
      });
    });
  });
