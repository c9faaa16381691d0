import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { ViaductError } from 'viaduct';
import { formatSeconds, jsonLine, printError } from '#src/cli/terminal/print.js';
import { formatBytes } from '#src/text.js';

describe('sizes', () => {
  for (const [bytes, text] of [
    [0, '0 B'],
    [1, '1 B'],
    [999, '999 B'],
    [1023, '1023 B'],
    [1024, '1.00 KiB'],
    [1536, '1.50 KiB'],
    [10_240, '10.0 KiB'],
    [102_400, '100 KiB'],
    [1_023_487, '999 KiB'],
    [1_023_488, '1000 KiB'],
    [1_024_000, '1000 KiB'],
    [1_048_575, '1024 KiB'],
    [999.5 * 1024 ** 2 - 1, '999 MiB'],
    [999.5 * 1024 ** 2, '1000 MiB'],
    [1_048_576, '1.00 MiB'],
    [1_531_904, '1.46 MiB'],
    [4 * 1024 ** 3, '4.00 GiB'],
    [1024 ** 4, '1.00 TiB'],
    [1024 ** 5, '1.00 PiB'],
    [0.4, '0 B'],
  ] as const) {
    test(`${bytes} is ${text}`, () => assert.equal(formatBytes(bytes), text));
  }

  test('always have a short number and a unit', () => {
    // Evenly distributed numbers would not cover every magnitude.
    const sizes = fc.double({ min: -1, max: 60, noNaN: true }).map((power) => 2 ** power);
    fc.assert(
      fc.property(sizes, (bytes) => {
        assert.match(formatBytes(bytes), /^(\d{1,4}|\d\.\d\d|\d\d\.\d) ([KMGTP]i)?B$/);
      }),
    );
  });
});

describe('times', () => {
  for (const [seconds, text] of [
    [0, '0.00 s'],
    [0.123, '0.12 s'],
    [9.999, '10.00 s'],
    [59.99, '59.99 s'],
    [60, '1:00'],
    [61.9, '1:01'],
    [3599, '59:59'],
    [3600, '1:00:00'],
    [3661, '1:01:01'],
    [360_000, '100:00:00'],
  ] as const) {
    test(`${seconds} s is ${text}`, () => assert.equal(formatSeconds(seconds), text));
  }
});

describe('a failure', () => {
  for (const [error, line, exit] of [
    [
      new ViaductError('CUT_SHORT', 'it broke'),
      'viaduct: it broke (the logs of the nodes name the hop and the reason)\n',
      18,
    ],
    [new ViaductError('BAD_ROUTE', 'line 2: wrong'), 'viaduct: line 2: wrong\n', 2],
  ] as const) {
    test(`${error.code} is one line on standard error and an exit code`, (t) => {
      const written: unknown[] = [];
      t.mock.method(process.stderr, 'write', (text: unknown) => written.push(text) > 0);
      const code = printError(error, process.stderr);
      t.mock.restoreAll();
      assert.deepEqual(written, [line]);
      assert.equal(code, exit);
    });
  }
});

test('a line of JSON escapes control characters and keeps its value', () => {
  const members = { name: 'a\u001b\u0085\u202e\u2028\ufeffü😀' };
  const line = jsonLine(members);
  assert.equal(line, '{"name":"a\\u001b\\u0085\\u202e\\u2028\\ufeffü😀"}\n');
  assert.deepEqual(JSON.parse(line), members);
});
