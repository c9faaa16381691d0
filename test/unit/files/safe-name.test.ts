import assert from 'node:assert/strict';
import { test } from 'node:test';
import { safeName } from '#src/files/safe-name.js';
import { codeOf } from '../../support/failures.js';

test('names that have another meaning on Windows are refused there', () => {
  for (const name of [
    'CON',
    'nul.txt',
    'com1',
    'a:b',
    'a\\b',
    'a.',
    'a ',
    'a?',
    'a\u0001',
    '..\\out',
    'C:',
    'LPT¹.x',
  ])
    assert.equal(
      codeOf(() => safeName(name, 'win32')),
      'UNSAFE_NAME',
      name,
    );
  for (const name of ['console', 'com10', '.a', 'ü', 'a b']) assert.equal(safeName(name, 'win32'), name);
});

test('names of partial files and names that are no path segment are refused everywhere', () => {
  for (const name of ['', '.', '..', 'a/b', 'a\0', '.viaduct-0123456789abcdef.part'])
    assert.equal(
      codeOf(() => safeName(name, 'linux')),
      'UNSAFE_NAME',
      name,
    );
});
