import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { type ErrorCode, ViaductError } from 'viaduct';
import type { CommandContext } from '#src/cli/context.js';
import { TextReport } from '#src/cli/get/text-report.js';

/** What is printed if a file fails after some of it was saved. */
function printed(code: ErrorCode): string {
  let text = '';
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      text += chunk.toString();
      done();
    },
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a report uses no more of it
  const context = { stdout: stream, stderr: stream } as unknown as CommandContext;
  const report = new TextReport({ toStdout: false, several: false }, context);
  const file = report.file('file');
  file.event({ type: 'kept', path: 'file.part', bytes: 3, size: 6 });
  file.failed(new ViaductError(code, 'it failed'));
  report.close(undefined);
  return text;
}

const KEPT = '; 3 B of 6 B saved in file.part';

for (const code of [
  'UNKNOWN_HOST_KEY',
  'CHANGED_HOST_KEY',
  'WRONG_PIN',
  'UNTRUSTED_CERTIFICATE',
  'TLS_REQUIRED',
] as const)
  test(`after ${code} the same command would fail again, and is not recommended`, () => {
    const text = printed(code);
    assert.ok(text.endsWith(`${KEPT}\n`), text);
  });

test('after a broken connection it is recommended', () => {
  assert.ok(printed('ABORTED').endsWith(`${KEPT}, run the same command again to resume\n`));
});
