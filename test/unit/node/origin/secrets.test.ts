import assert from 'node:assert/strict';
import { linkSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { listFolder } from 'viaduct';
import { Root } from '#src/node/origin/root.js';
import { Secrets } from '#src/node/origin/secrets.js';
import { failureOf } from '../../../support/failures.js';
import { testNode } from '../../../support/nodes.js';
import { tempFolder } from '../../../support/temp.js';

/** A root that has the state folder, a key beside it, and every kind of link to them. */
function makeRoot(t: TestContext) {
  const root = realpathSync(tempFolder(t));
  const [state, key] = [join(root, 'state'), join(root, 'own.key')];
  mkdirSync(state);
  for (const path of [join(state, 'node.pem'), key, join(root, 'a.txt')]) writeFileSync(path, 'x');
  symlinkSync(join(state, 'node.pem'), join(root, 'link'));
  symlinkSync(state, join(root, 'link-to-folder'));
  linkSync(join(state, 'node.pem'), join(root, 'hard'));
  return { root, state, key };
}

test('keys are not served under any name, and not listed', async (t) => {
  const { root, state, key } = makeRoot(t);
  const served = await Root.at(root, true, await Secrets.of([state, key, join(root, 'missing')]));
  for (const name of [
    'state',
    'state/',
    'state/node.pem',
    'state/new.pem',
    'own.key',
    'link',
    'hard',
    'link-to-folder/node.pem',
  ]) {
    if (name === 'state/new.pem') writeFileSync(join(state, 'new.pem'), 'made later');
    assert.equal((await failureOf(served.open(name))).code, 'FORBIDDEN', name);
  }
  const file = await served.openFile('a.txt');
  await file.handle.close();

  const { hop } = await testNode(t, { root, secrets: [state, key] });
  const entries = await listFolder({ route: [hop], path: '/' }, { plain: true });
  const names = new Set(entries.map(({ name }) => name));
  for (const name of ['state', 'own.key', 'link', 'link-to-folder']) assert.ok(!names.has(name), name);
  assert.ok(names.has('a.txt'));
});

test('a root that is or lies in the state folder is refused', async (t) => {
  const { root, state } = makeRoot(t);
  const inside = join(state, 'deeper');
  mkdirSync(inside);
  const secrets = await Secrets.of([state]);
  for (const path of [state, inside, join(root, 'link-to-folder')])
    assert.equal((await failureOf(Root.at(path, false, secrets))).code, 'USAGE', path);
  assert.equal((await Root.at(dirname(state), false, secrets)).path, root);
});
