import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Checksums } from 'viaduct';
import { nameOfBytes } from '#src/route/name.js';
import { thrownBy } from '../../support/failures.js';

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);

const parse = (text: string | Buffer): Checksums => Checksums.parse(Buffer.from(text), 'SUMS');

describe('a checksum file', () => {
  for (const [what, line, name] of [
    ['of GNU', `${A}  file`, 'file'],
    ['of GNU, binary', `${A} *file`, 'file'],
    ['of GNU, with a path', `${A}  ./dir/my file`, 'dir/my file'],
    ['of GNU, escaped', `\\${A}  a\\nb\\\\c`, 'a\nb\\c'],
    ['of BSD', `SHA256 (dir/fi(l)e) = ${A}`, 'dir/fi(l)e'],
    ['of OpenSSL', `SHA256(file)= ${A}`, 'file'],
    ['in upper case', `${A.toUpperCase()}  file`, 'file'],
  ] as const) {
    for (const end of ['\n', '\r\n', '']) {
      test(`${what}, with ${JSON.stringify(end)} at its end`, () =>
        assert.equal(parse(line + end).of(name), A));
    }
  }

  test('a name that is not UTF-8', () => {
    const name = Buffer.from([0x66, 0xff]);
    assert.equal(parse(Buffer.concat([Buffer.from(`${A}  `), name])).of(nameOfBytes(name)), A);
  });

  test('comments, signatures and other algorithms are ignored', () => {
    const sums = parse(
      `\uFEFF-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n# file: 5 bytes\nMD5 (file) = ${'0'.repeat(32)}\n` +
        `SHA512 (file) = ${'0'.repeat(128)}\nSHA256 (file) = ${A}\n${B}  other\n`,
    );
    assert.deepEqual([sums.of('file'), sums.of('other')], [A, B]);
  });

  test('the same line twice is as one', () => assert.equal(parse(`${A}  x\n${A} *./x\n`).of('x'), A));

  test('a name without a line, or with two different ones, is an error', () => {
    const sums = parse(`${A}  x\n${B}  x\n${A}  dir/y\n`);
    for (const [name, message] of [
      ['x', 'SUMS has different SHA-256 for "x"'],
      ['y', 'SUMS does not name "y"'],
      ['\u001b', 'SUMS does not name "\\x1b"'],
    ] as const) {
      const error = thrownBy(() => sums.of(name));
      assert.deepEqual([error?.code, error?.message], ['NO_CHECKSUM', message]);
    }
  });

  for (const text of ['', '\n', `${A.slice(1)}  x`, `${A}x  y`, 'hello']) {
    test(`without any SHA-256 it is an error: ${JSON.stringify(text)}`, () => {
      const error = thrownBy(() => parse(text));
      assert.equal(error?.code, 'READ_FAILED');
      assert.match(error?.message ?? '', /^cannot read SUMS: no line of it has a SHA-256 and a name$/);
    });
  }
});
