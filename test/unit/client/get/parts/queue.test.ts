import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { addRange, isComplete } from '#src/files/ranges.js';
import { type Claim, PartQueue } from '#src/client/get/parts/queue.js';

const MIB = 1024 * 1024;

describe('the parts of a file', () => {
  test('are all brought, whoever brings how much and whoever breaks off', () => {
    const steps = fc.array(
      fc.record({
        who: fc.integer({ min: 0, max: 5 }),
        bytes: fc.integer({ min: 1, max: MIB }),
        breaks: fc.boolean(),
      }),
      { maxLength: 60 },
    );
    const done = fc.array(fc.tuple(fc.nat(8 * MIB), fc.nat(2 * MIB)), { maxLength: 3 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 * MIB }), done, steps, (size, had, plan) => {
        const before = had
          .map(([start, length]) => ({ start: Math.min(start, size), end: Math.min(start + length, size) }))
          .reduce(addRange, addRange([], { start: 0, end: 0 }));
        const queue = new PartQueue(size, before);
        let written = before;
        const claims = new Map<number, Claim>();
        const owners = Array.from({ length: 6 }, () => ({}));
        const act = (who: number, bytes: number, breaks: boolean): boolean => {
          const first = before[0]?.start === 0 ? before[0].end : 0;
          const claim =
            claims.get(who) ??
            (who === 0 && claims.size === 0
              ? queue.claimFrom(first)
              : queue.claim(4, 2 * MIB, owners[who] ?? assert.fail()));
          if (claim === undefined) return false;
          claims.set(who, claim);
          queue.begun(claim);
          const taken = Math.min(bytes, Math.max(0, claim.left));
          assert.ok(claim.at + taken <= size);
          written = addRange(written, { start: claim.at, end: claim.at + taken });
          queue.wrote(claim, taken);
          if (breaks || claim.left <= 0) {
            queue.give(claim);
            claims.delete(who);
          }
          return true;
        };
        for (const { who, bytes, breaks } of plan) act(who, bytes, breaks);
        for (let round = 0; !queue.isComplete; round += 1) {
          assert.ok(round < 1000, 'it does not come to an end');
          for (let who = 0; who < 6; who += 1) act(who, MIB, false);
        }
        assert.ok(isComplete(written, size));
      }),
    );
  });

  test('come from the end of what another connection still has to bring', () => {
    const queue = new PartQueue(10 * MIB, []);
    const main = queue.claimFrom(0);
    assert.deepEqual([main.at, main.end], [0, 10 * MIB]);
    const part = queue.claim(2, MIB, {});
    assert.deepEqual([part?.at, part?.end, main.end], [9 * MIB, 10 * MIB, 9 * MIB]);
    const next = queue.claim(2, MIB, {});
    assert.deepEqual([next?.at, next?.end, main.end], [8 * MIB, 9 * MIB, 8 * MIB]);
  });

  test('that broke off are asked for first', () => {
    const queue = new PartQueue(10 * MIB, []);
    queue.claimFrom(0);
    const part = queue.claim(2, MIB, {}) ?? assert.fail();
    queue.wrote(part, 1000);
    queue.give(part);
    const again = queue.claim(2, MIB, {});
    assert.deepEqual([again?.at, again?.end], [9 * MIB + 1000, 10 * MIB]);
  });

  test('that are small stay with the connection that brings them, unless it has stopped', (t) => {
    const queue = new PartQueue(300_000, []);
    const main = queue.claimFrom(0);
    assert.equal(queue.claim(2, MIB, {}), undefined);
    const { activeAt } = main;
    t.mock.method(performance, 'now', () => activeAt + 60_000);
    const taken = queue.claim(2, MIB, {});
    assert.deepEqual([taken?.at, taken?.end, main.left], [37_856, 300_000, 37_856]);
  });

  test('that may still be refused are taken over by the main stream, others are not', () => {
    const queue = new PartQueue(4 * MIB, []);
    const main = queue.claimFrom(0);
    const last = queue.claim(2, MIB, {}) ?? assert.fail();
    const next = queue.claim(2, MIB, {}) ?? assert.fail();
    queue.begun(last);
    queue.wrote(main, 2 * MIB);
    assert.ok(queue.extend(main));
    assert.deepEqual([main.at, main.end, next.left, last.left], [2 * MIB, 3 * MIB, 0, MIB]);
    queue.wrote(main, MIB);
    assert.ok(!queue.extend(main));
    queue.wrote(last, 1000);
    queue.give(last);
    assert.ok(!queue.extend(main));
    queue.passDone(main);
    assert.ok(queue.extend(main));
    assert.deepEqual([main.at, main.end], [3 * MIB + 1000, 4 * MIB]);
  });

  test('that do not begin are asked for once more, and stay with who begins first', (t) => {
    for (const first of [0, 1]) {
      const queue = new PartQueue(MIB, []);
      const [own, other] = [{}, {}];
      const slow = queue.claim(1, MIB, own) ?? assert.fail();
      const { activeAt, end } = slow;
      const late = t.mock.method(performance, 'now', () => activeAt + 2001);
      assert.notEqual(queue.claim(1, MIB, own)?.at, slow.at, 'not of its own');
      const twin = queue.claim(1, MIB, other) ?? assert.fail();
      assert.deepEqual([twin.at, twin.end, slow.end], [slow.at, end, end]);
      late.mock.restore();
      const [winner, loser] = first === 0 ? [slow, twin] : [twin, slow];
      queue.begun(winner);
      assert.deepEqual([winner.left > 0, loser.left], [true, 0]);
      queue.begun(loser);
      assert.ok(winner.left > 0);
    }
  });

  test('that begin nowhere are asked for on each connection, until one brings them', (t) => {
    const queue = new PartQueue(MIB / 4, []);
    const claims = [queue.claim(1, MIB, {}) ?? assert.fail()];
    let now = performance.now();
    t.mock.method(performance, 'now', () => now);
    while (claims.length < 4) {
      assert.equal(queue.claim(1, MIB, {}), undefined);
      now += 2001;
      claims.push(queue.claim(1, MIB, {}) ?? assert.fail());
    }
    queue.give(claims[0] ?? assert.fail());
    queue.begun(claims[2] ?? assert.fail());
    assert.deepEqual(
      claims.map(({ left }) => left),
      [MIB / 4, 0, MIB / 4, 0],
    );
  });

  test('that were taken from a main stream that was slow go back to it when it goes on, unless they have begun', (t) => {
    for (const hasBegun of [false, true]) {
      const queue = new PartQueue(MIB / 4, []);
      const main = queue.claimFrom(0);
      const { activeAt } = main;
      const late = t.mock.method(performance, 'now', () => activeAt + 2001);
      const part = queue.claim(1, MIB, {}) ?? assert.fail();
      assert.deepEqual([main.left, part.at, part.end], [0, 0, MIB / 4]);
      if (hasBegun) queue.begun(part);
      // What it was writing meanwhile.
      queue.wrote(main, 1000);
      assert.equal(queue.extend(main), !hasBegun);
      assert.deepEqual(
        [main.at, main.left, part.left > 0],
        hasBegun ? [1000, -1000, true] : [1000, MIB / 4 - 1000, false],
      );
      late.mock.restore();
    }
  });

  test('that have begun and are slow are taken over by the main stream too', (t) => {
    const queue = new PartQueue(MIB, []);
    const main = queue.claimFrom(0);
    const part = queue.claim(1, MIB, {}) ?? assert.fail();
    queue.begun(part);
    queue.wrote(main, main.left);
    assert.ok(!queue.extend(main));
    const { activeAt } = part;
    t.mock.method(performance, 'now', () => activeAt + 2001);
    assert.ok(queue.extend(main));
    assert.deepEqual([part.left, main.end], [0, MIB]);
  });

  test('of which one of two requests fails stay with the other', (t) => {
    const queue = new PartQueue(MIB / 2, [{ start: 0, end: MIB / 4 }]);
    const slow = queue.claim(1, MIB, {}) ?? assert.fail();
    const { activeAt } = slow;
    t.mock.method(performance, 'now', () => activeAt + 2001);
    const twin = queue.claim(1, MIB, {}) ?? assert.fail();
    queue.give(slow);
    queue.begun(twin);
    queue.wrote(twin, twin.left);
    assert.ok(queue.isComplete);
  });
});
