import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { createHash } from 'node:crypto';
import { testNode } from '../../../support/nodes.js';
import { randomFile, tempFolder } from '../../../support/temp.js';
import { type StrictReply, ask, get, headOf } from '../../../support/wire-replies.js';

const SIZE = 1000;
/** Well before now, and in the first second of a minute, for the forms of dates. */
const MODIFIED = new Date('1994-11-06T08:49:37.5Z');
const [LATER, EARLIER] = ['Sun, 06 Nov 1994 08:49:38 GMT', 'Sun, 06 Nov 1994 08:49:36 GMT'];
const SAME = 'Sun, 06 Nov 1994 08:49:37 GMT';

const digestOf = (content: Buffer): string =>
  `sha-256=:${createHash('sha256').update(content).digest('base64')}:`;

/** A file at an origin, and what is got with fields in which `E` is its ETag. */
async function prepare(t: TestContext, size = SIZE) {
  const root = tempFolder(t);
  const bytes = randomFile(root, 'file.txt', size);
  utimesSync(join(root, 'file.txt'), MODIFIED, MODIFIED);
  const { hop } = await testNode(t, { root });
  const plain = await ask(t, hop, get('/file.txt'));
  const etag = plain.fields['etag'] ?? '';
  const got = (fields: readonly string[], method = 'GET'): Promise<StrictReply> => {
    const own = fields.map((field) => field.replaceAll('E', etag).replace('VTag', 'ETag'));
    return ask(t, hop, headOf(`${method} /file.txt HTTP/1.1`, ['Host:', 'Connection: close', ...own]));
  };
  return { root, bytes, hop, plain, etag, got };
}

test('a file has a strong ETag, its date, its type and its length', async (t) => {
  const { plain, bytes, root, hop } = await prepare(t);
  assert.deepEqual([plain.status, plain.body], [200, bytes]);
  assert.match(plain.fields['etag'] ?? '', /^"[!\x23-\x7e]+"$/);
  assert.equal(plain.fields['last-modified'], SAME);
  assert.equal(plain.fields['content-type'], 'text/plain; charset=utf-8');
  assert.equal(plain.fields['content-length'], String(SIZE));
  assert.equal(plain.fields['accept-ranges'], 'bytes');
  assert.equal(plain.fields['cache-control'], 'no-cache');
  for (const [name, type] of [
    ['a.html', 'text/html; charset=utf-8'],
    ['a.JSON', 'application/json; charset=utf-8'],
    ['a.mp4', 'video/mp4'],
    ['a.tar.gz', 'application/gzip'],
    ['a.unknown', 'application/octet-stream'],
    ['README', 'application/octet-stream'],
  ] as const) {
    writeFileSync(join(root, name), '');
    assert.equal((await ask(t, hop, get(`/${name}`))).fields['content-type'], type);
  }
});

test('the ETag changes with the bytes, even if size and date stay', async (t) => {
  const { root, hop, etag } = await prepare(t);
  const path = join(root, 'file.txt');
  writeFileSync(path, Buffer.alloc(SIZE));
  utimesSync(path, MODIFIED, MODIFIED);
  const { fields } = await ask(t, hop, get('/file.txt'));
  assert.equal(fields['last-modified'], SAME);
  assert.notEqual(fields['etag'], etag);
});

describe('conditions (RFC 9110 §13)', () => {
  for (const [fields, status] of [
    // §13.1.1 If-Match compares strongly.
    [['If-Match: E'], 200],
    [['If-Match: *'], 200],
    [['If-Match: "other"'], 412],
    [['If-Match: "a", E , "b"'], 200],
    [['If-Match: "a"', 'If-Match: E'], 200],
    [['If-Match: W/E'], 412],
    [['If-Match: "a,*,b"'], 412],
    [['If-Match:'], 412],
    // §13.1.2 If-None-Match compares weakly.
    [['If-None-Match: E'], 304],
    [['If-None-Match: W/E'], 304],
    [['If-None-Match: *'], 304],
    [['If-None-Match: "other"'], 200],
    [['If-None-Match: "other", W/E'], 304],
    [['If-None-Match: "other"', 'If-None-Match: E'], 304],
    [['If-None-Match: E', 'Cache-Control: no-cache'], 304],
    // §13.1.3 If-Modified-Since.
    [[`If-Modified-Since: ${SAME}`], 304],
    [[`If-Modified-Since: ${LATER}`], 304],
    [[`If-Modified-Since: ${EARLIER}`], 200],
    [[`If-Modified-Since: ${EARLIER}`, 'If-None-Match: E'], 304],
    [[`If-Modified-Since: ${LATER}`, 'If-None-Match: "other"'], 200],
    [['If-Modified-Since: 2030'], 200],
    [['If-Modified-Since: 2030-01-01T00:00:00Z'], 200],
    [['If-Modified-Since: tomorrow'], 200],
    [[`If-Modified-Since: ${LATER}, ${LATER}`], 200],
    // §5.6.7: all three forms of dates.
    [['If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT'], 304],
    [['If-Modified-Since: Sunday, 06-Nov-94 08:49:36 GMT'], 200],
    [['If-Modified-Since: Sun Nov  6 08:49:37 1994'], 304],
    [['If-Modified-Since: Sun Nov  6 08:49:36 1994'], 200],
    // §13.1.4 If-Unmodified-Since.
    [[`If-Unmodified-Since: ${SAME}`], 200],
    [[`If-Unmodified-Since: ${EARLIER}`], 412],
    [['If-Unmodified-Since: 1990'], 200],
    [['If-Unmodified-Since: Sun Nov  6 08:49:36 1994'], 412],
    // §13.2.2 precedence.
    [['If-Match: E', `If-Unmodified-Since: ${EARLIER}`], 200],
    [['If-Match: "other"', 'If-None-Match: E'], 412],
    [['If-Match: E', 'If-None-Match: E'], 304],
    [['If-None-Match: E', 'Range: bytes=0-0'], 304],
    [['If-Match: "other"', 'Range: bytes=0-0'], 412],
    [['If-Match: E', 'Range: bytes=9999-'], 416],
  ] as const) {
    test(`${fields.join(' and ')}: ${status}`, async (t) => {
      const { got, plain } = await prepare(t);
      for (const method of ['GET', 'HEAD']) {
        if (status === 416 && method === 'HEAD') continue; // Range is for GET alone.
        const reply = await got(fields, method);
        assert.equal(reply.status, status);
        if (status !== 304) continue;
        // §15.4.5: what a cache needs, and no content.
        for (const name of ['etag', 'last-modified', 'cache-control']) {
          assert.equal(reply.fields[name], plain.fields[name]);
        }
        assert.equal(reply.fields['content-length'], undefined);
      }
    });
  }
});

describe('ranges (RFC 9110 §14)', () => {
  for (const [range, first, last] of [
    ['bytes=0-', 0, 999],
    ['bytes=0-0', 0, 0],
    ['bytes=10-19', 10, 19],
    ['bytes=999-', 999, 999],
    ['bytes=999-5000', 999, 999],
    [`bytes=0-${'9'.repeat(40)}`, 0, 999],
    ['bytes=-1', 999, 999],
    ['bytes=-1000', 0, 999],
    ['bytes=-5000', 0, 999],
    ['bytes= 1-2', 1, 2],
  ] as const) {
    test(`${range} is ${first} to ${last}`, async (t) => {
      const { got, bytes, plain } = await prepare(t);
      const reply = await got([`Range: ${range}`]);
      assert.equal(reply.status, 206);
      assert.equal(reply.fields['content-range'], `bytes ${first}-${last}/${SIZE}`);
      assert.deepEqual(reply.body, bytes.subarray(first, last + 1));
      for (const name of ['etag', 'last-modified', 'cache-control', 'content-type']) {
        assert.equal(reply.fields[name], plain.fields[name]);
      }
    });
  }

  for (const range of ['bytes=1000-', 'bytes=5000-6000', 'bytes=-0', `bytes=${'9'.repeat(400)}-`]) {
    test(`${range} is a 416 with the size`, async (t) => {
      const reply = await (await prepare(t)).got([`Range: ${range}`]);
      assert.deepEqual([reply.status, reply.fields['content-range']], [416, `bytes */${SIZE}`]);
    });
  }

  for (const range of [
    'items=0-1',
    'items=5000-',
    'bytes',
    'bytes=',
    'bytes=a-b',
    'bytes=1',
    'bytes=0-1,5-6',
    'bytes=1-0x5',
    '',
  ]) {
    test(`"${range}" is answered with the whole file`, async (t) => {
      const { got, bytes } = await prepare(t);
      const reply = await got([`Range: ${range}`]);
      assert.deepEqual([reply.status, reply.body], [200, bytes]);
      assert.equal(reply.fields['content-range'], undefined);
    });
  }

  test('HEAD has no ranges (§14.2)', async (t) => {
    const { got } = await prepare(t);
    for (const range of ['bytes=0-1', 'bytes=5000-']) {
      const reply = await got([`Range: ${range}`], 'HEAD');
      assert.deepEqual([reply.status, reply.fields['content-length']], [200, String(SIZE)]);
    }
  });

  test('an empty file', async (t) => {
    const { got } = await prepare(t, 0);
    for (const [range, status] of [
      ['bytes=0-', 416],
      ['bytes=0-0', 416],
      ['bytes=-5', 200], // Satisfiable, but no 206 could say so.
      ['bytes=-0', 416],
    ] as const) {
      assert.equal((await got([`Range: ${range}`])).status, status, range);
    }
  });

  for (const [condition, status] of [
    ['E', 206],
    ['W/E', 200],
    ['"other"', 200],
    // Never a date, even if it is the file's: the file may have changed twice in that second.
    [SAME, 200],
    [LATER, 200],
    [EARLIER, 200],
    ['*', 200],
    ['', 200],
  ] as const) {
    test(`If-Range: ${condition}: ${status} (§13.1.5)`, async (t) => {
      const { got } = await prepare(t);
      assert.equal((await got([`If-Range: ${condition}`, 'Range: bytes=1-2'])).status, status);
      // A condition that does not hold makes the range as if it were not there, a bad one too.
      const outside = await got([`If-Range: ${condition}`, 'Range: bytes=5000-']);
      assert.equal(outside.status, status === 206 ? 416 : 200);
    });
  }
});

test('a digest is that of the whole file as it is, also behind a range and after a change', async (t) => {
  const { root, hop, bytes, got } = await prepare(t);
  const want = 'Want-Repr-Digest: sha-256=5';
  assert.equal((await got([want], 'HEAD')).fields['repr-digest'], digestOf(bytes));
  assert.equal((await got([want, 'Range: bytes=0-1'])).fields['repr-digest'], digestOf(bytes));
  appendFileSync(join(root, 'file.txt'), 'more');
  const reply = await ask(t, hop, headOf('HEAD /file.txt HTTP/1.1', ['Host:', 'Connection: close', want]));
  assert.equal(reply.fields['repr-digest'], digestOf(Buffer.concat([bytes, Buffer.from('more')])));
  for (const wanted of ['sha-256=0', 'md5=1', 'sha-512=3', 'x-sha-256=1', '']) {
    assert.equal(
      (await got([`Want-Repr-Digest: ${wanted}`], 'HEAD')).fields['repr-digest'],
      undefined,
      wanted,
    );
  }
});

test('a file with a slash at its end is not found, a folder without one redirects', async (t) => {
  const { root, hop } = await prepare(t);
  mkdirSync(join(root, '@types:1 %/ä'), { recursive: true });
  for (const [path, location] of [
    ['/@types:1%20%25', './%40types%3A1%20%25/'],
    ['/%40types:1%20%25/%C3%A4?q', './%C3%A4/?q'],
  ] as const) {
    const reply = await ask(t, hop, get(path));
    assert.deepEqual([reply.status, reply.fields['location']], [301, location]);
  }
  assert.equal((await ask(t, hop, get('/file.txt/'))).status, 404);
});
