import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { withoutCalls } from '../../../support/calls.js';
import { Child } from '../../../support/processes.js';

const PROGRAM = fileURLToPath(new URL('../../../support/without-pipe-pages.js', import.meta.url));

test(
  'an ordinary user who has no pages for pipes left: every flow goes on without, and with them once there are some',
  { skip: withoutCalls },
  async (t) => {
    const child = new Child(t, process.execPath, [PROGRAM]);
    assert.equal(await child.ended, 0, child.stderr);
    const { user, without, withPages, deaths } = JSON.parse(child.stdout) as {
      readonly user: number;
      readonly without: { readonly taken: number; readonly moved: number };
      readonly withPages: { readonly taken: number; readonly moved: number };
      readonly deaths: readonly string[];
    };
    assert.notEqual(user, 0);
    assert.deepEqual(deaths, []);
    assert.ok(without.taken > 0, 'no flow was handed over');
    assert.equal(without.moved, 0);
    assert.ok(withPages.taken > 0, 'no flow was handed over again');
    assert.ok(withPages.moved > 0, 'no pipe was used again');
  },
);
