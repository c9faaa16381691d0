import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { formatHop, get, listFolder } from 'viaduct';
import { pinName } from '#src/route/parked-name.js';
import { failureOf } from '../support/failures.js';
import { PIN, trusting } from '../support/identity.js';
import { parkedChain } from '../support/parking.js';
import { tempFolder } from '../support/temp.js';
import { knownHost, runSecure, testIdentity } from '../support/tunnels.js';

/** A node that has taken the name of another one, at a relay that has forgotten whose it was. */
async function impostor(t: TestContext) {
  const root = tempFolder(t);
  writeFileSync(join(root, 'file'), 'forged');
  const identity = testIdentity();
  return { ...(await parkedChain(t, { identity, node: { root, identity } })), identity };
}

test('a parked node that answers as another one: clients that know the pin refuse it', async (t) => {
  const { route, parked, identity } = await impostor(t);
  const folder = tempFolder(t);
  const error = await failureOf(
    get({ route, path: '/file' }, join(folder, 'file'), { encryption: trusting(PIN) }),
  );
  assert.equal(error.code, 'WRONG_PIN');
  assert.deepEqual(readdirSync(folder), []);
  // Not one request was made in TLS.
  assert.ok(parked.node.events.every(({ type }) => type !== 'serving'));
  // By its own pin it can be reached.
  const [entry] = await listFolder({ route, path: '/' }, { encryption: trusting(identity.pin) });
  assert.equal(entry?.name, 'file');
});

test('the command line says that the key of a host has changed', async (t) => {
  const { route, identity } = await impostor(t);
  const key = knownHost(t, route, PIN);
  for (const command of ['get', 'ls'] as const) {
    const path = command === 'get' ? '/file' : '/';
    const args = command === 'get' ? ['-o', join(tempFolder(t), 'file')] : [];
    const { code, stderr } = await runSecure(command, { route, path }, key, args);
    assert.equal(code, 60, stderr);
    assert.match(stderr, new RegExp(`hop 2 \\(${formatHop(route[1])}\\)`));
    assert.ok(stderr.includes(identity.pin) && stderr.includes(PIN), stderr);
  }
});

test('the pin of another node names nobody here', async (t) => {
  const { relay, identity } = await impostor(t);
  const route = [relay.hop, { parked: pinName(PIN) }];
  const error = await failureOf(listFolder({ route, path: '/' }, { encryption: trusting(PIN) }));
  assert.deepEqual([error.code, error.hopNumber], ['NOT_PARKED', 2]);
  const own = [relay.hop, { parked: pinName(identity.pin) }];
  const [entry] = await listFolder({ route: own, path: '/' }, { encryption: trusting(identity.pin) });
  assert.equal(entry?.name, 'file');
});
