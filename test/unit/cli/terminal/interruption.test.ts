import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Child } from '../../../support/processes.js';
import { tempFolder } from '../../../support/temp.js';

const MODULE = import.meta.resolve('#src/cli/terminal/interruption.js');

/** Blocks a thread for ever, as an open of a FIFO does. */
const BLOCKED = `
import { open } from 'node:fs';
import { listenForInterruption } from '${MODULE}';
const { signal } = listenForInterruption('', Number(process.argv[1]));
open(process.argv[2], 'r', () => {});
signal.addEventListener('abort', () => { console.log('aborted'); });
setInterval(() => {}, 1000);
console.log('ready');
`;

describe('a process with a thread that is blocked for ever', () => {
  for (const [what, endMs, signals] of [
    ['ends after its limit', 100, ['SIGTERM']],
    ['ends at the second signal', 1_000_000, ['SIGTERM', 'SIGINT']],
  ] as const) {
    test(what, async (t) => {
      const fifo = join(tempFolder(t), 'fifo');
      execFileSync('mkfifo', [fifo]);
      const args = ['--input-type=module', '-e', BLOCKED, String(endMs), fifo];
      const child = new Child(t, process.execPath, args);
      await child.until(({ stdout }) => stdout.includes('ready'));
      for (const signal of signals) {
        child.process.kill(signal);
        if (signal === 'SIGTERM') await child.until(({ stdout }) => stdout.includes('aborted'));
      }
      assert.equal(await child.ended, signals.at(-1));
    });
  }
});
