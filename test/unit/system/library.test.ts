import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SystemCallError, checked, isGlibc, library } from '#src/system/library.js';
import { withoutCalls } from '../../support/calls.js';

test('an error says which call failed and why, in the form of Node’s own', () => {
  const error = new SystemCallError('pipe2', -24);
  assert.equal(error.message, 'pipe2: EMFILE, too many open files');
  const { name, code, errno, syscall } = error;
  assert.deepEqual(
    { name, code, errno, syscall },
    { name: 'SystemCallError', code: 'EMFILE', errno: -24, syscall: 'pipe2' },
  );
  assert.match(new SystemCallError('pipe2', -4000).message, /^pipe2: .+/);
});

test('a result that is no error is handed through', () => {
  assert.equal(checked('read', 0), 0);
  assert.equal(checked('read', 8), 8);
  assert.throws(() => checked('read', -9), { name: 'SystemCallError', code: 'EBADF' });
});

test('the C library is loaded once, and a function that it lacks is an error', { skip: withoutCalls }, () => {
  const libc = library();
  assert.equal(library(), libc);
  assert.ok(!('missing' in libc));
  assert.equal(libc.func<() => number>('int getpid()')(), process.pid);
  assert.throws(() => libc.func('int no_such_function_anywhere()'));
  assert.equal(typeof isGlibc(), 'boolean');
});
