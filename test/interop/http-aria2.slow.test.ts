import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { httpChain, runPeer } from '../support/http-chain.js';
import { havePeer } from '../support/peers.js';
import { randomFile, sha256, tempFolder } from '../support/temp.js';
import { MIB } from './routes.js';

test('aria2c -x4 -s4 over 3 relays: four parts at once', async (t) => {
  if (!havePeer(t, 'aria2c')) return;
  const root = tempFolder(t);
  const bytes = randomFile(root, 'a file', 16 * MIB);
  const chain = await httpChain(t, root);
  const folder = tempFolder(t);
  const settings = ['--no-conf', '--enable-dht=false', '--file-allocation=none', '--min-split-size=1M'];
  const args = ['-q', ...settings, '-x4', '-s4', chain.url('/a%20file')];
  const { code, stdout } = await runPeer(t, folder, 'aria2c', args);
  assert.equal(code, 0, stdout);
  assert.equal(sha256(readFileSync(join(folder, 'a file'))), sha256(bytes));
  // Each part is a request of its own.
  await chain.origin.until(
    ({ lines }) => lines.filter((line) => line.startsWith('Working as a server')).length >= 4,
  );
});
