import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isReadable } from '#src/node/origin/archive/readable.js';

const [OWN, OTHER] = [1000n, 2000n];
const user = { uid: Number(OWN), groups: new Set([Number(OWN)]) };

test('which files can certainly be read', () => {
  for (const [mode, uid, gid, expected] of [
    [0o400n, OWN, OTHER, true],
    // Only the first class that fits counts.
    [0o044n, OWN, OWN, false],
    [0o040n, OTHER, OWN, true],
    [0o404n, OTHER, OWN, false],
    [0o004n, OTHER, OTHER, true],
    [0o640n, OTHER, OTHER, false],
  ] as const)
    assert.equal(isReadable({ mode, uid, gid }, user), expected, mode.toString(8));
});

test('root can read everything; without users only open(2) knows', () => {
  const secret = { mode: 0o600n, uid: OTHER, gid: OTHER };
  assert.equal(isReadable(secret, { uid: 0, groups: new Set() }), true);
  assert.equal(isReadable(secret, { uid: undefined, groups: new Set() }), false);
});
