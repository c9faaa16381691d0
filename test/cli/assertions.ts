import assert from 'node:assert/strict';

/** Asserts how a failure is reported: exit code, nothing on standard output, one line with the reason. */
export function assertOneLine(
  run: { readonly code: number | NodeJS.Signals; readonly stdout: string; readonly stderr: string },
  code: number,
  line: RegExp,
): void {
  assert.equal(run.stdout, '');
  assert.match(run.stderr, /^viaduct: [^\n]+\n$/);
  assert.match(run.stderr, line);
  assert.equal(run.code, code, run.stderr);
}
