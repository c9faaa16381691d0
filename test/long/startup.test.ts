import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { PROGRAM } from '../support/processes.js';

const ROUNDS = 20;

function secondsOf(args: readonly string[]): number {
  const startedAt = performance.now();
  const run = spawnSync(process.execPath, args);
  assert.equal(run.status, 0);
  return (performance.now() - startedAt) / 1000;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

test('viaduct --version starts within twice the time of node -e 0', (t) => {
  const bare: number[] = [];
  const own: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    bare.push(secondsOf(['-e', '0']));
    own.push(secondsOf([PROGRAM, '--version']));
  }
  const ratio = median(own) / median(bare);
  t.diagnostic(`${ratio.toFixed(2)} times`);
  assert.ok(ratio < 2, `${ratio.toFixed(2)} times`);
});
