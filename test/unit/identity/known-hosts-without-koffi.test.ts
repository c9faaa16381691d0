import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { addKnownHost } from '#src/identity/change-known-hosts.js';
import { readKnownHosts } from '#src/identity/known-hosts.js';
import '../../support/hide-koffi.js';
import { tempFolder } from '../../support/temp.js';

test('without koffi too, many changes of known_hosts at once lose nothing', async (t) => {
  const folder = tempFolder(t);
  const pin = `sha256//${Buffer.alloc(32).toString('base64')}`;
  const names = Array.from({ length: 12 }, (_, index) => `h${index}:1`);
  await Promise.all(names.map((name) => addKnownHost(folder, name, pin)));
  assert.equal((await readKnownHosts(folder)).hosts.length, names.length);
  assert.deepEqual(readdirSync(folder), ['known_hosts']);
});
