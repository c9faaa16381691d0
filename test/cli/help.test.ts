import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runViaduct } from '../support/processes.js';
import { runInProcess } from '../support/program.js';

/** `UPDATE_TRANSCRIPTS=1` rewrites the transcripts. */
const update = process.env['UPDATE_TRANSCRIPTS'] === '1';

const transcriptAt = (name: string): string =>
  fileURLToPath(new URL(`../../../test/cli/transcripts/${name}.txt`, import.meta.url));

const commands: readonly (readonly [string, readonly string[]])[] = [
  ['help', ['--help']],
  ['server-help', ['server', '--help']],
  ['get-help', ['get', '--help']],
  ['cat-help', ['cat', '--help']],
  ['client-help', ['client', '--help']],
  ['ls-help', ['ls', '--help']],
  ['open-help', ['open', '--help']],
  ['trace-help', ['trace', '--help']],
  ['identity-help', ['identity', '--help']],
  ['authorize-help', ['authorize', '--help']],
  ['share-help', ['share', '--help']],
  ['known-help', ['known', '--help']],
  ['parked-help', ['parked', '--help']],
  ['config-help', ['config', '--help']],
  ['completion-help', ['completion', '--help']],
];
for (const [name, args] of commands) {
  test(`viaduct ${args.join(' ')} prints transcripts/${name}.txt`, async () => {
    const run = await runInProcess(args);
    assert.equal(run.code, 0);
    assert.equal(run.stderr, '');
    if (update) writeFileSync(transcriptAt(name), run.stdout);
    assert.equal(run.stdout, readFileSync(transcriptAt(name), 'utf8'));
  });
}

test('viaduct without arguments prints its help on standard error and fails', async (t) => {
  const run = await runViaduct(t, []);
  assert.equal(run.code, 2);
  assert.equal(run.stdout, '');
  assert.equal(run.stderr, readFileSync(transcriptAt('help'), 'utf8'));
});

test('the version is that of the package', async (t) => {
  const manifest: unknown = JSON.parse(
    readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
  );
  const expected = `${(manifest as { readonly version: string }).version}\n`;
  for (const option of ['--version', '-V']) {
    assert.deepEqual(await runViaduct(t, [option]), { code: 0, stdout: expected, stderr: '' });
  }
});
