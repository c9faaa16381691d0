import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatHop, formatInput } from 'viaduct';
import { NodeProcess } from '../support/processes.js';
import { runInProcess } from '../support/program.js';
import { tempFolder } from '../support/temp.js';

test('what a client without TLS reads of a node with --tls-only', async (t) => {
  const root = tempFolder(t);
  writeFileSync(join(root, 'a.txt'), 'hi\n');
  const relay = await NodeProcess.start(t, { root });
  const strict = await NodeProcess.start(t, { root, args: ['--tls-only'] });
  const cwd = tempFolder(t);
  const where = `${formatHop(relay.hop)}/@${formatHop(strict.hop)}/a.txt`;
  assert.deepEqual(await runInProcess(['get', '--plain', where], { cwd }), {
    code: 35,
    stdout: '',
    stderr: `viaduct: hop 2 (${formatHop(strict.hop)}): this node serves only in TLS; leave --plain out, or use https:// to it directly\n`,
  });
  const route = [relay.hop, strict.hop];
  writeFileSync(join(cwd, 'input.txt'), formatInput({ name: 'a.txt', route }));
  const { code, stderr } = await runInProcess(['client', 'input.txt'], { cwd });
  assert.match(stderr, /, a node serves only in TLS \(--tls-only; use get\) or /);
  assert.equal(code, 18);
});
