import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StallDetector } from '#src/tcp/stall-detector.js';

test('it is over when a figure has stayed the same for the limit, and not before', () => {
  const patience = new StallDetector(100);
  assert.equal(patience.isStalled(5, 1000), false);
  assert.equal(patience.isStalled(5, 1099), false);
  assert.equal(patience.isStalled(5, 1100), true);
  assert.equal(patience.isStalled(5, 1200), true);
});

test('any change begins it anew, down as well as up', () => {
  const patience = new StallDetector(100);
  patience.isStalled(5, 0);
  assert.equal(patience.isStalled(6, 90), false);
  assert.equal(patience.isStalled(4, 180), false);
  assert.equal(patience.isStalled(4, 279), false);
  assert.equal(patience.isStalled(4, 280), true);
});

test('while nothing is waited for it is never over, and what was before does not count', () => {
  const patience = new StallDetector(100);
  patience.isStalled(5, 0);
  for (let now = 50; now < 1000; now += 50) assert.equal(patience.isStalled(undefined, now), false);
  assert.equal(patience.isStalled(5, 1000), false);
  assert.equal(patience.isStalled(5, 1099), false);
  assert.equal(patience.isStalled(5, 1100), true);
});

test('the first look begins it, however late it is, and whatever the figure', () => {
  assert.equal(new StallDetector(100).isStalled(0, 1_000_000), false);
  assert.equal(new StallDetector(100).isStalled(undefined, 1_000_000), false);
});
