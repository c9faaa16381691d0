import assert from 'node:assert/strict';
import { realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatHop } from 'viaduct';
import { loadIdentity } from '#src/identity/identity.js';
import { NodeProcess } from '../support/processes.js';
import { runInProcess } from '../support/program.js';
import { tempFolder } from '../support/temp.js';
import { assertOneLine } from './assertions.js';

// Folders side by side, as the owner starts the node and as clients see it.

test('a node with shares: its start, its listings, a link into it, a key for one of them', async (t) => {
  const [open, guarded, own, state] = [tempFolder(t), tempFolder(t), tempFolder(t), tempFolder(t)];
  writeFileSync(join(open, 'a.txt'), 'hi\n');
  writeFileSync(join(guarded, 'b.txt'), 'secret\n');
  const shares = ['--share', `pub=${open}`, '--share', `priv=${guarded},access=keys,links`];
  const node = await NodeProcess.start(t, { args: ['--state', own, ...shares] });
  const start = node.log.find(({ msg }) => msg === 'listening');
  assert.equal(start?.['root'], 'none (--share only)');
  assert.deepEqual(start['shares'], [
    `pub=${realpathSync(open)},access=public`,
    `priv=${realpathSync(guarded)},access=keys,links`,
  ]);
  const { pin } = await loadIdentity(own, 'node');
  const known = ['--state', state, '--pin', pin];
  const at = formatHop(node.hop);
  const run = (...args: readonly string[]) => runInProcess([...args, ...known]);
  assert.equal((await run('ls', `${at}/`)).stdout, 'pub/\n');
  assert.equal((await run('ls', `${at}/pub/`)).stdout, 'a.txt\n');
  assertOneLine(await run('ls', `${at}/priv/`), 67, /the key of this client is not authorized/);
  const { stdout } = await runInProcess(['share', 'priv', '--route', at, '--state', own, ...shares]);
  assert.equal((await run('get', '-q', '-o', '-', `${stdout.trim()}b.txt`)).stdout, 'secret\n');
  const { pin: clientPin } = await loadIdentity(state, 'client');
  await runInProcess(['authorize', clientPin, '--state', own]);
  // The node may have looked at its list less than a tenth of a second ago.
  let listed = await run('ls', `${at}/`);
  while (listed.stdout === 'pub/\n') listed = await run('ls', `${at}/`);
  assert.equal(listed.stdout, 'priv/\npub/\n');
});

test('shares that are refused at the start', async (t) => {
  const [folder, state] = [tempFolder(t), tempFolder(t)];
  for (const [shares, message] of [
    [['pub'], /--share pub: expected NAME=DIR, or NAME=DIR,access=WHO/],
    [[`=${folder}`], /--share =\S+: expected NAME=DIR/],
    [['pub='], /--share pub=: expected NAME=DIR/],
    [[`pub=${folder},access=`], /access is public, keys, links or keys,links, not ""/],
    [[`a/b=${folder}`], /the share "a\/b" has a "\/" in its name/],
    [[`pub=${folder}/missing`], /the share "pub": folder \S+ does not exist/],
    [[`pub=${folder}`, `pub=${folder}`], /the share "pub" is given twice/],
  ] as const) {
    const args = shares.flatMap((share) => ['--share', share]);
    assertOneLine(await runInProcess(['server', '0', '--state', state, ...args]), 2, message);
  }
});
