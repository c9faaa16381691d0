import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { ViaductError } from 'viaduct';
import { createReporter } from '#src/cli/server/report.js';

test('requests that are refused for want of room are logged once a second; other failures always', (t) => {
  let now = 1_000_000;
  t.mock.method(performance, 'now', () => now);
  const logged: string[] = [];
  const report = createReporter(pino({}, { write: (line) => logged.push(line) }), () => {});
  const fail = (requestId: number, code: 'UNAVAILABLE' | 'NOT_FOUND'): void => {
    const ids = { connectionId: 0, requestId };
    report({ type: 'request', peer: 'h:1', ...ids });
    report({ type: 'failed', error: new ViaductError(code, 'no'), bytes: 0, seconds: 0, ...ids });
  };
  for (let requestId = 0; requestId < 10; requestId += 1) fail(requestId, 'UNAVAILABLE');
  assert.equal(logged.length, 1);
  fail(10, 'NOT_FOUND');
  fail(11, 'NOT_FOUND');
  assert.equal(logged.length, 3);
  now += 1000;
  fail(12, 'UNAVAILABLE');
  assert.equal(logged.length, 4);
  assert.match(logged[3] ?? '', /"code":"UNAVAILABLE".*"unlogged":9,"msg":"no"/);
});
