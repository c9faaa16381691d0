import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { wantsDigest } from '#src/node/origin/digests.js';
import { parseHttpDate, writableDate } from '#src/wire/http/date.js';
import { testNode } from '../../../support/nodes.js';
import { tempFolder } from '../../../support/temp.js';
import { ask, get } from '../../../support/wire-replies.js';

const LAST = 'Fri, 31 Dec 9999 23:59:59 GMT';

/** A folder on a file system that keeps such times, or undefined. */
function farFolder(t: TestContext, seconds: number): string | undefined {
  try {
    const root = mkdtempSync('/dev/shm/viaduct-test-');
    t.after(() => rmSync(root, { recursive: true, force: true }));
    writeFileSync(join(root, 'far'), 'content');
    utimesSync(join(root, 'far'), seconds, seconds);
    return statSync(join(root, 'far'), { bigint: true }).mtimeMs === BigInt(seconds) * 1000n
      ? root
      : undefined;
  } catch {
    return undefined;
  }
}

describe('names that are no extension, or one that objects have by themselves', () => {
  for (const name of [
    'x.constructor',
    'x.__proto__',
    'x.toString',
    'x.hasOwnProperty',
    'constructor',
    '__proto__',
    'html',
    'txt',
    'x.',
  ]) {
    test(`${name} is of no known type`, async (t) => {
      const root = tempFolder(t);
      writeFileSync(join(root, name), 'content');
      const { hop } = await testNode(t, { root });
      const { status, fields, body } = await ask(t, hop, get(`/${name}`));
      assert.deepEqual([status, body.toString()], [200, 'content']);
      assert.equal(fields['content-type'], 'application/octet-stream');
    });
  }
});

describe('times that no HTTP-date can name', () => {
  for (const [ms, text] of [
    [8.64e15, LAST],
    [8.64e15 + 1, LAST],
    [Infinity, LAST],
    [Date.UTC(10_000, 0, 1), LAST],
    [Date.UTC(9999, 11, 31, 23, 59, 59), LAST],
    [784_111_777_000, 'Sun, 06 Nov 1994 08:49:37 GMT'],
    [0, 'Thu, 01 Jan 1970 00:00:00 GMT'],
    [-1, 'Thu, 01 Jan 1970 00:00:00 GMT'],
    [-Infinity, 'Thu, 01 Jan 1970 00:00:00 GMT'],
    [NaN, 'Thu, 01 Jan 1970 00:00:00 GMT'],
  ] as const) {
    test(`${ms} ms become ${text}`, () => {
      const date = writableDate(ms);
      assert.equal(date.toUTCString(), text);
      assert.equal(parseHttpDate(text), date.getTime());
    });
  }

  for (const [seconds, text] of [
    [300_000_000_000, LAST],
    [9_000_000_000_000, LAST],
    [-86_400, 'Thu, 01 Jan 1970 00:00:00 GMT'],
  ] as const) {
    test(`a file of ${seconds} s is listed, served and not sent again`, async (t) => {
      const root = farFolder(t, seconds);
      if (root === undefined) return t.skip('no file system that keeps such times');
      const { hop } = await testNode(t, { root });
      const file = await ask(t, hop, get('/far'));
      assert.deepEqual([file.status, file.body.toString()], [200, 'content']);
      assert.equal(file.fields['last-modified'], text);
      const page = await ask(t, hop, get('/'));
      assert.equal(page.status, 200);
      const iso = new Date(text).toISOString().slice(0, 19);
      assert.match(page.body.toString(), new RegExp(`href="\\./far".*datetime="${iso}`));
      const json = await ask(t, hop, get('/', 'Accept: application/json'));
      assert.match(json.body.toString(), new RegExp(`"name":"far".*"modified":"${iso}`));
      assert.equal((await ask(t, hop, get('/far', `If-Modified-Since: ${text}`))).status, 304);
    });
  }
});

describe('Want-Repr-Digest is read as the dictionary that it is (RFC 9530 §4)', () => {
  for (const [values, wanted] of [
    [['sha-256=1'], true],
    [['sha-256=10, sha-512=3'], true],
    [['md5=1', 'sha-256=1'], true],
    [['sha-256=1;x="sha-256=0"'], true],
    [['sha-256=0, sha-256=1'], true],
    [['x="a, sha-256=1"'], false],
    [['x="a', 'sha-256=1"'], false],
    [['sha-256=1, sha-256=0'], false],
    [['sha-256=1', 'sha-256=0'], false],
    [['sha-256'], false],
    [['sha-256="1"'], false],
    [['sha-256=-1'], false],
    [['sha-256=(1)'], false],
    [['SHA-256=1'], false],
    [['sha-256=1, ='], false],
    [['sha-256=1,'], false],
    [[], false],
  ] as const) {
    test(`${values.join(' | ') || 'nothing'}: ${wanted ? 'wanted' : 'not wanted'}`, () => {
      const fields = values.map((value) => ['Want-Repr-Digest', value] as const);
      assert.equal(wantsDigest({ method: 'HEAD', target: '/', minor: 1, fields }), wanted);
    });
  }
});
