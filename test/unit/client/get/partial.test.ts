import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { type Location, formatLocation, get, getAll } from 'viaduct';
import { failureOf } from '../../../support/failures.js';
import { fileOrigin, honestReply, replyOf } from '../../../support/file-origin.js';
import { tempFolder } from '../../../support/temp.js';
import { type Wire, WIRES } from '../../../support/wires.js';

const BYTES = randomBytes(10_000);

/** Creates a partial file and its sidecar, as after an earlier run. */
function leavePartial(folder: string, location: Location, bytes: Buffer): void {
  writeFileSync(join(folder, 'file.part'), bytes);
  const sidecar = { source: formatLocation(location), etag: '"v1"', size: BYTES.length };
  writeFileSync(join(folder, 'file.part.json'), JSON.stringify(sidecar));
}

function honest(t: TestContext, wire: Wire) {
  return fileOrigin(t, (socket, asked) => socket.end(honestReply(BYTES, asked)), wire);
}

for (const wire of WIRES)
  describe(wire.name, () => {
    describe('partial files', () => {
      test('do not conflict with files of the same remote folder', async (t) => {
        const contents = new Map(
          ['x', 'x.part', 'x.part.json'].map((name) => [`/${name}`, `content of ${name}`]),
        );
        const entries = [...contents].map(([path, { length: size }]) => {
          const modified = '2001-02-03T04:05:06.000Z';
          return JSON.stringify({ name: path.slice(1), type: 'file', size, modified });
        });
        const { location } = await fileOrigin(
          t,
          (socket, asked) => {
            const content = contents.get(asked.path);
            const text = `{"path":"/","entries":[\n${entries.join(',\n')}\n]}\n`;
            if (content === undefined) socket.end(replyOf(200, { 'Content-Type': 'application/json' }, text));
            else socket.end(honestReply(Buffer.from(content), asked));
          },
          wire,
        );
        const folder = tempFolder(t);
        const listener = { event: () => {}, complete: () => {}, failed: () => {} };
        const order = { location: { ...location, path: '/' }, target: folder, recursive: true };
        const { failures } = await getAll([order], { ...wire.options, retries: 0, onFile: () => listener });
        assert.equal(failures, 0);
        for (const [path, content] of contents)
          assert.equal(readFileSync(join(folder, path), 'utf8'), content);
        assert.equal(readdirSync(folder).length, contents.size);
      });
    });

    describe('a download that fails before the first reply', () => {
      test('leaves the partial file of another source alone', async (t) => {
        const { location } = await honest(t, wire);
        const folder = tempFolder(t);
        leavePartial(folder, { ...location, path: '/other' }, BYTES.subarray(0, 5000));
        const before = readFileSync(join(folder, 'file.part.json'), 'utf8');
        const unreachable = { ...location, route: [{ host: '127.0.0.1', port: 1025 }] };
        assert.equal((await failureOf(get(unreachable, join(folder, 'file'), wire.options))).code, 'REFUSED');
        assert.ok(readFileSync(join(folder, 'file.part')).equals(BYTES.subarray(0, 5000)));
        assert.equal(readFileSync(join(folder, 'file.part.json'), 'utf8'), before);
      });

      test('leaves no file behind', async (t) => {
        const { location } = await fileOrigin(t, (socket) => socket.end(replyOf(404, {}, 'none')), wire);
        const folder = tempFolder(t);
        await failureOf(get(location, join(folder, 'file'), wire.options));
        assert.deepEqual(readdirSync(folder), []);
      });
    });

    for (const [what, text] of [
      ['of text', 'my notes'],
      ['of another JSON', '{"name":"mine"}'],
      ['that is empty', ''],
    ] as const) {
      test(`a file FILE.part.json ${what} is left alone`, async (t) => {
        const { location, asked } = await honest(t, wire);
        const folder = tempFolder(t);
        for (const part of [undefined, 'mine too']) {
          writeFileSync(join(folder, 'file.part.json'), text);
          if (part !== undefined) writeFileSync(join(folder, 'file.part'), part);
          const error = await failureOf(get(location, join(folder, 'file'), wire.options));
          assert.equal(error.code, 'WRITE_FAILED');
          assert.match(error.message, /file\.part\.json was not created by viaduct; move or delete it$/);
          assert.equal(readFileSync(join(folder, 'file.part.json'), 'utf8'), text);
          assert.equal(existsSync(join(folder, 'file.part')), part !== undefined);
        }
        assert.equal(asked.length, 0);
      });
    }

    describe('a complete partial file, without verification', () => {
      test('becomes the file after the origin has confirmed size and ETag', async (t) => {
        const { location, asked } = await honest(t, wire);
        const folder = tempFolder(t);
        leavePartial(folder, location, BYTES);
        await get(location, join(folder, 'file'), { ...wire.options, verify: false });
        assert.deepEqual(
          asked.map(({ method }) => method),
          ['HEAD'],
        );
        assert.ok(readFileSync(join(folder, 'file')).equals(BYTES));
      });

      test('is fetched again if the file has changed', async (t) => {
        const other = randomBytes(10_000);
        const { location } = await fileOrigin(
          t,
          (socket, asked) => socket.end(honestReply(other, asked, '"v2"')),
          wire,
        );
        const folder = tempFolder(t);
        leavePartial(folder, location, BYTES);
        await get(location, join(folder, 'file'), { ...wire.options, verify: false });
        assert.ok(readFileSync(join(folder, 'file')).equals(other));
      });

      test('stays as it is if the origin has no such file', async (t) => {
        const { location } = await fileOrigin(t, (socket) => socket.end(replyOf(404, {})), wire);
        const folder = tempFolder(t);
        leavePartial(folder, location, BYTES);
        await failureOf(get(location, join(folder, 'file'), { ...wire.options, verify: false }));
        assert.deepEqual(readdirSync(folder), ['file.part', 'file.part.json']);
      });
    });
  });
