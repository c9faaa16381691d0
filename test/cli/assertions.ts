import assert from 'node:assert/strict';

/** A failure as a user is to see it: the exit code, nothing on standard output, one line that says why. */
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
