import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { localName } from 'viaduct';

describe('the local name of a remote file', () => {
  for (const [remote, local] of [
    ['file', 'file'],
    ['a/b/file', 'file'],
    ['../../file', 'file'],
    ['/etc/passwd', 'passwd'],
    ['folder/', 'folder'],
    ['a\\b', 'a\\b'],
    [' ', ' '],
    ['...', '...'],
  ] as const) {
    test(`of ${JSON.stringify(remote)} is ${JSON.stringify(local)}`, () =>
      assert.equal(localName(remote), local));
  }

  for (const remote of ['', '/', '.', '..', 'a/..', 'a/.', '///']) {
    test(`of ${JSON.stringify(remote)} is none`, () => {
      assert.throws(() => localName(remote), { code: 'BAD_ROUTE', message: /-o/ });
    });
  }
});
