import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { type Share, decodeShare, encodeShare, isGenuine } from '#src/route/share-token.js';

const SECRET = Buffer.alloc(32, 7);

/** Names that a URL can lead to, also with bytes that are not UTF-8. */
const segment = fc
  .string({ unit: fc.constantFrom('a', 'B', '.', ' ', 'ü', '€', '@', '%', '\udcff', '\\'), minLength: 1 })
  .filter((name) => name !== '.' && name !== '..');

const share: fc.Arbitrary<Share> = fc.record({
  below: fc.array(segment, { maxLength: 8 }),
  kind: fc.constantFrom('file', 'folder'),
  expires: fc.integer({ min: 0, max: 0xffff_ffff }),
});

test('a token says until when and for which depth, and is genuine for its path alone', () => {
  fc.assert(
    fc.property(share, fc.array(segment, { maxLength: 8 }), (made, other) => {
      const claim = decodeShare(encodeShare(made, SECRET));
      assert.ok(claim);
      assert.deepEqual(
        [claim.expires, claim.kind, claim.depth],
        [made.expires, made.kind, made.below.length],
      );
      assert.ok(isGenuine(claim, made.below, SECRET));
      assert.equal(isGenuine(claim, other, SECRET), JSON.stringify(other) === JSON.stringify(made.below));
      assert.ok(!isGenuine(claim, made.below, randomBytes(32)));
      assert.ok(!isGenuine(claim, [...made.below, 'x'], SECRET));
    }),
  );
});

test('the same path split elsewhere is another one', () => {
  const claim = decodeShare(encodeShare({ below: ['a', 'b'], kind: 'folder', expires: 1 }, SECRET));
  assert.ok(claim);
  // No name has a slash, but the depth holds even so.
  assert.ok(!isGenuine(claim, ['a/b'], SECRET));
});

test('each bit counts, and so does each character', () => {
  const made: Share = { below: ['photos', '2024'], kind: 'folder', expires: 2_000_000_000 };
  const token = encodeShare(made, SECRET);
  const bytes = Buffer.from(token, 'base64url');
  assert.equal(bytes.length, 23);
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const changed = Buffer.from(bytes);
    changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    const claim = decodeShare(changed.toString('base64url'));
    assert.ok(claim === undefined || !isGenuine(claim, made.below, SECRET), `bit ${bit}`);
  }
  for (let length = 0; length < token.length; length += 1)
    assert.equal(decodeShare(token.slice(0, length)), undefined, `cut to ${length}`);
  // Two bits of the last character stand for nothing, but have one spelling too.
  const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const same = last.split('').filter((char) => {
    const claim = decodeShare(token.slice(0, -1) + char);
    return claim !== undefined && isGenuine(claim, made.below, SECRET);
  });
  assert.deepEqual(same, [token.at(-1)]);
  for (const other of [`${token}=`, `${token}A`, ` ${token}`, token.toLowerCase(), '', '%41'])
    assert.equal(decodeShare(other), undefined, other);
});

test('decoding whatever comes never throws', () => {
  fc.assert(fc.property(fc.string(), (text) => void decodeShare(text)));
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 20, maxLength: 26 }), (bytes) => {
      const claim = decodeShare(Buffer.from(bytes).toString('base64url'));
      assert.ok(claim === undefined || !isGenuine(claim, Array(claim.depth).fill('a'), SECRET));
    }),
  );
});

test('a path that is too deep, and a time out of range', () => {
  const below = Array.from({ length: 256 }, () => 'a');
  assert.throws(() => encodeShare({ below, kind: 'file', expires: 1 }, SECRET), RangeError);
  for (const expires of [-1, 2 ** 32])
    assert.throws(() => encodeShare({ below: [], kind: 'folder', expires }, SECRET), RangeError);
});
