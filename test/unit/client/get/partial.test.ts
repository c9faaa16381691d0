import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  type Stats,
  existsSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { type Location, formatLocation, get, getAll } from 'viaduct';
import { isBeside, isPartialName } from '#src/files/partial-name.js';
import { placeOf, publish } from '#src/files/target.js';
import { failureOf } from '../../../support/failures.js';
import { fileOrigin, honestReply, replyOf } from '../../../support/file-origin.js';
import { tempFolder } from '../../../support/temp.js';

const BYTES = randomBytes(10_000);

function honest(t: TestContext) {
  return fileOrigin(t, (socket, asked) => socket.end(honestReply(BYTES, asked)));
}

/** A partial file and its sidecar, as an earlier run has left them. */
function leavePartial(folder: string, location: Location, bytes: Buffer): void {
  writeFileSync(join(folder, 'file.part'), bytes);
  const sidecar = { source: formatLocation(location), etag: '"v1"', size: BYTES.length };
  writeFileSync(join(folder, 'file.part.json'), JSON.stringify(sidecar));
}

describe('what stands beside a file while it comes', () => {
  test('is no file of the same far folder', async (t) => {
    const contents = new Map(
      ['x', 'x.part', 'x.part.json'].map((name) => [`/${name}`, `content of ${name}`]),
    );
    const entries = [...contents].map(([path, { length: size }]) => {
      const modified = '2001-02-03T04:05:06.000Z';
      return JSON.stringify({ name: path.slice(1), type: 'file', size, modified });
    });
    const { location } = await fileOrigin(t, (socket, asked) => {
      const content = contents.get(asked.path);
      const text = `{"path":"/","entries":[\n${entries.join(',\n')}\n]}\n`;
      if (content === undefined) socket.end(replyOf(200, { 'Content-Type': 'application/json' }, text));
      else socket.end(honestReply(Buffer.from(content), asked));
    });
    const folder = tempFolder(t);
    const listener = { event: () => {}, complete: () => {}, failed: () => {} };
    const order = { location: { ...location, path: '/' }, target: folder, recursive: true };
    const { failures } = await getAll([order], { retries: 0, onFile: () => listener });
    assert.equal(failures, 0);
    for (const [path, content] of contents) assert.equal(readFileSync(join(folder, path), 'utf8'), content);
    assert.equal(readdirSync(folder).length, contents.size);
  });

  test('has names that no far file may have', () => {
    for (const name of ['.viaduct-0123456789abcdef.part', '.VIADUCT-0.part.json', '.viaduct-0.part.lock'])
      assert.ok(isPartialName(name), name);
    for (const name of ['.viaduct', 'x.part', '.viaduct-x.part']) assert.ok(!isPartialName(name), name);
    for (const name of ['x.part', 'x.part.json', 'x.part.json.new', 'x.part.lock'])
      assert.ok(isBeside('x', name), name);
    for (const name of ['x', 'x.partial', 'y.part', 'x.part.jsonl']) assert.ok(!isBeside('x', name), name);
  });
});

describe('publishing', () => {
  test('a partial file that was replaced meanwhile fails, and both stay', async (t) => {
    const folder = tempFolder(t);
    const [path, target] = [join(folder, 'file.part'), join(folder, 'file')];
    const file = await open(path, 'wx');
    t.after(() => file.close());
    renameSync(path, join(folder, 'moved'));
    writeFileSync(path, 'another');
    const error = await failureOf(publish(file, path, await placeOf(target)));
    assert.equal(error.code, 'WRITE_FAILED');
    assert.match(error.message, /file\.part was replaced or removed meanwhile$/);
    assert.deepEqual(readdirSync(folder), ['file.part', 'moved']);
  });

  test('keeps the file open, and so locked', { skip: process.platform === 'win32' }, async (t) => {
    const folder = tempFolder(t);
    const [path, target] = [join(folder, 'file.part'), join(folder, 'file')];
    const file = await open(path, 'wx');
    t.after(() => file.close());
    writeFileSync(`${path}.json`, '{}');
    await publish(file, path, await placeOf(target), { sidecar: `${path}.json` });
    const named: Stats = statSync(target);
    assert.equal((await file.stat()).ino, named.ino);
    assert.deepEqual(readdirSync(folder), ['file']);
  });
});

describe('a command that fails before a reply', () => {
  test('leaves the partial file of another source alone', async (t) => {
    const { location } = await honest(t);
    const folder = tempFolder(t);
    leavePartial(folder, { ...location, path: '/other' }, BYTES.subarray(0, 5000));
    const before = readFileSync(join(folder, 'file.part.json'), 'utf8');
    const nobody = { ...location, route: [{ host: '127.0.0.1', port: 1025 }] };
    assert.equal((await failureOf(get(nobody, join(folder, 'file')))).code, 'REFUSED');
    assert.ok(readFileSync(join(folder, 'file.part')).equals(BYTES.subarray(0, 5000)));
    assert.equal(readFileSync(join(folder, 'file.part.json'), 'utf8'), before);
  });

  test('leaves nothing if nothing was there', async (t) => {
    const { location } = await fileOrigin(t, (socket) => socket.end(replyOf(404, {}, 'none')));
    const folder = tempFolder(t);
    await failureOf(get(location, join(folder, 'file')));
    assert.deepEqual(readdirSync(folder), []);
  });
});

for (const [what, text] of [
  ['of text', 'my notes'],
  ['of another JSON', '{"name":"mine"}'],
  ['that is empty', ''],
] as const) {
  test(`a file FILE.part.json ${what} is left alone`, async (t) => {
    const { location, asked } = await honest(t);
    const folder = tempFolder(t);
    for (const part of [undefined, 'mine too']) {
      writeFileSync(join(folder, 'file.part.json'), text);
      if (part !== undefined) writeFileSync(join(folder, 'file.part'), part);
      const error = await failureOf(get(location, join(folder, 'file')));
      assert.equal(error.code, 'WRITE_FAILED');
      assert.match(error.message, /file\.part\.json is there, and not of viaduct; move it away$/);
      assert.equal(readFileSync(join(folder, 'file.part.json'), 'utf8'), text);
      assert.equal(existsSync(join(folder, 'file.part')), part !== undefined);
    }
    assert.equal(asked.length, 0);
  });
}

describe('a whole partial file, without verification', () => {
  test('becomes the file once the origin has confirmed size and ETag', async (t) => {
    const { location, asked } = await honest(t);
    const folder = tempFolder(t);
    leavePartial(folder, location, BYTES);
    await get(location, join(folder, 'file'), { verify: false });
    assert.deepEqual(
      asked.map(({ method }) => method),
      ['HEAD'],
    );
    assert.ok(readFileSync(join(folder, 'file')).equals(BYTES));
  });

  test('is fetched again if the file has changed', async (t) => {
    const other = randomBytes(10_000);
    const { location } = await fileOrigin(t, (socket, asked) =>
      socket.end(honestReply(other, asked, '"v2"')),
    );
    const folder = tempFolder(t);
    leavePartial(folder, location, BYTES);
    await get(location, join(folder, 'file'), { verify: false });
    assert.ok(readFileSync(join(folder, 'file')).equals(other));
  });

  test('stays as it is if the origin has no such file', async (t) => {
    const { location } = await fileOrigin(t, (socket) => socket.end(replyOf(404, {})));
    const folder = tempFolder(t);
    leavePartial(folder, location, BYTES);
    await failureOf(get(location, join(folder, 'file'), { verify: false }));
    assert.deepEqual(readdirSync(folder), ['file.part', 'file.part.json']);
  });
});
