import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatLocation } from 'viaduct';
import { partialPathsOf } from '#src/files/partial-name.js';
import { testNode } from '../support/nodes.js';
import { runViaduct } from '../support/processes.js';
import { tempFolder } from '../support/temp.js';

test('what a killed get -r left beside complete files is gone after the next one', async (t) => {
  const root = tempFolder(t);
  mkdirSync(join(root, 'sub'));
  writeFileSync(join(root, 'sub', 'f'), 'hello\n');
  const node = await testNode(t, { root });
  const folder = tempFolder(t);
  const get = ['get', '--plain', '-r', formatLocation({ route: [node.hop], path: '/' }), '-o', 'tree'];
  await runViaduct(t, get, { cwd: folder });
  const { sidecar } = partialPathsOf(join(folder, 'tree/sub/f'), true);
  writeFileSync(sidecar, '{"source":"http://h1:1/sub/f","etag":"\\"v\\"","size":6}\n', { mode: 0o600 });
  const { code, stdout } = await runViaduct(t, get, { cwd: folder });
  assert.equal(code, 0);
  assert.match(stdout, /1 skipped/);
  assert.deepEqual(readdirSync(join(folder, 'tree/sub')), ['f']);
  // The file is incomplete: its sidecar is used, and an unfinished new one goes with it.
  const { partial } = partialPathsOf(join(folder, 'tree/sub/f'), true);
  renameSync(join(folder, 'tree/sub/f'), partial);
  writeFileSync(sidecar, '{"source":"http://h1:1/sub/f","etag":"\\"v\\"","size":6}\n', { mode: 0o600 });
  writeFileSync(`${sidecar}.new`, '', { mode: 0o600 });
  assert.equal((await runViaduct(t, get, { cwd: folder })).code, 0);
  assert.deepEqual(readdirSync(join(folder, 'tree/sub')), ['f']);
});
