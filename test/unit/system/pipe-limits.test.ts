import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { pipesAreUnlimited } from '#src/system/pipe-limits.js';

const status = (effective: string): string =>
  `Name:\tnode\nCapPrm:\t0000000000000000\nCapEff:\t${effective}\n`;

test('limits on pipes are lifted by either of two capabilities', () => {
  assert.equal(pipesAreUnlimited(status('0000000001000000')), true);
  assert.equal(pipesAreUnlimited(status('0000000000200000')), true);
  assert.equal(pipesAreUnlimited(status('000001ffffffffff')), true);
  assert.equal(pipesAreUnlimited(status('000001fffedfffff')), false);
  assert.equal(pipesAreUnlimited(status('0000000000000000')), false);
});

test('where nothing is told they hold', () => {
  for (const text of ['', 'Name:\tnode\n', status('x')]) assert.equal(pipesAreUnlimited(text), false);
});

test(
  'they hold for an ordinary user',
  { skip: process.getuid?.() !== 0 && 'only root can be another' },
  () => {
    const text = execFileSync('cat', ['/proc/self/status'], { uid: 65_534, encoding: 'utf8' });
    assert.match(text, /^CapEff:/m);
    assert.equal(pipesAreUnlimited(text), false);
  },
);
