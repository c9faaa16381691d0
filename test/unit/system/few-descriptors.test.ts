import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutCalls } from '../../support/calls.js';
import { Child } from '../../support/processes.js';

const PROGRAM = `
  import { systemCalls } from '#src/system/calls.js';
  const calls = systemCalls();
  const told = ['pipe', 'epollCreate', 'eventfd'].map((name) => {
    const opened = [];
    try {
      for (;;) opened.push(calls[name]());
    } catch ({ syscall, code }) {
      for (const fd of opened.flatMap((one) => (typeof one === 'number' ? one : Object.values(one)))) calls.close(fd);
      return [syscall, code, opened.length > 5];
    }
  });
  process.stdout.write(JSON.stringify(told));`;

test('calls that open something say EMFILE when there is nothing left', { skip: withoutCalls }, async (t) => {
  const limited = ['-c', 'ulimit -n 64 && exec "$@"', 'sh', process.execPath];
  const child = new Child(t, 'sh', [...limited, '--input-type=module', '-e', PROGRAM]);
  assert.equal(await child.ended, 0, child.stderr);
  assert.deepEqual(JSON.parse(child.stdout), [
    ['pipe2', 'EMFILE', true],
    ['epoll_create1', 'EMFILE', true],
    ['eventfd', 'EMFILE', true],
  ]);
});
