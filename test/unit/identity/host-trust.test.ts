import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseLocation } from 'viaduct';
import { HostTrust } from '#src/identity/host-trust.js';
import { failureOf } from '../../support/failures.js';
import { tempFolder } from '../../support/temp.js';

const WHERE = 'h1:12000/@10.0.0.5:11000';
const { route } = parseLocation(WHERE);
const A = `sha256//${Buffer.alloc(32, 1).toString('base64')}`;

test('a failure of known_hosts is not the decision about a key; the user is not asked again', async (t) => {
  const stateFolder = tempFolder(t);
  const path = join(stateFolder, 'known_hosts');
  writeFileSync(path, 'garbage', { mode: 0o600 });
  const hosts = new HostTrust({ stateFolder });
  assert.equal((await failureOf(hosts.check(route, A))).code, 'READ_FAILED');
  writeFileSync(path, '');
  let asks = 0;
  const asked = new HostTrust({
    stateFolder,
    ask: async () => {
      asks += 1;
      rmSync(path);
      mkdirSync(path);
      return 'yes';
    },
  });
  assert.equal((await failureOf(asked.check(route, A))).code, 'READ_FAILED');
  rmSync(path, { recursive: true });
  writeFileSync(path, '', { mode: 0o600 });
  await asked.check(route, A);
  assert.equal(readFileSync(path, 'utf8'), `${WHERE} ${A}\n`);
  await hosts.check(route, A);
  assert.equal(asks, 1);
});

test('a decision about a key stays', async (t) => {
  const stateFolder = tempFolder(t);
  const hosts = new HostTrust({ stateFolder, ask: async () => 'no' });
  for (let turn = 0; turn < 2; turn += 1) {
    assert.equal((await failureOf(hosts.check(route, A))).code, 'UNKNOWN_HOST_KEY');
    writeFileSync(join(stateFolder, 'known_hosts'), `${WHERE} ${A}\n`, { mode: 0o600 });
  }
});
