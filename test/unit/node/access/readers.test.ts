import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type NodeOptions, ViaductError } from 'viaduct';
import { type AccessWay, type Judgement, Readers } from '#src/node/access/readers.js';
import { Root } from '#src/node/origin/root.js';
import { pinOf } from '../../../support/parked.js';
import { IDENTITY } from '../../../support/identity.js';
import { testNode } from '../../../support/nodes.js';
import { tempFolder } from '../../../support/temp.js';

const ATTEMPT = { dialect: 'http', isSecure: true, pin: undefined, name: 'a', link: undefined } as const;

const way = (name: AccessWay['name'], judgement: Judgement): AccessWay => ({
  name,
  summary: `who has ${name}`,
  judge: async () => judgement,
});
const yes: Judgement = { allowed: true, client: 'alice', below: ['photos'] };
const no = (why: string, isRecognized = false): Judgement => ({
  allowed: false,
  client: undefined,
  why,
  isRecognized,
});

async function decide(t: TestContext, ...ways: readonly AccessWay[]) {
  const root = await Root.at(tempFolder(t), false);
  return { root, decision: await new Readers({ root, access: ways }).decide(ATTEMPT) };
}

test('one of several ways is enough, and the root is only what it allows', async (t) => {
  for (const ways of [[way('keys', no('no key')), way('links', yes)], [way('keys', yes)]]) {
    const { root, decision } = await decide(t, ...ways);
    assert.ok(decision.allowed);
    assert.equal(decision.client, 'alice');
    assert.notEqual(decision.root, root);
  }
});

test('if none allows, the refusal is that of the way that knows the client, or else of the first', async (t) => {
  const refusalOf = async (...ways: readonly AccessWay[]): Promise<string> => {
    const { decision } = await decide(t, ...ways);
    assert.ok(!decision.allowed);
    assert.equal(decision.refusal.code, 'ACCESS_DENIED');
    return decision.refusal.message;
  };
  assert.equal(await refusalOf(way('keys', no('no key')), way('links', no('no link'))), 'no key');
  assert.equal(
    await refusalOf(way('keys', no('no key')), way('links', no('it has expired', true))),
    'it has expired',
  );
  assert.equal(await refusalOf(), 'this node lets nobody read');
});

test('a way that fails lets nobody in', async (t) => {
  const root = await Root.at(tempFolder(t), false);
  const broken: AccessWay = { name: 'links', summary: '', judge: () => Promise.reject(new Error('broken')) };
  const decision = await new Readers({ root, access: [broken] }).decide(ATTEMPT);
  assert.ok(!decision.allowed);
  assert.equal(decision.refusal.code, 'ACCESS_DENIED');
});

test('public has the whole root, and a sentence that says so', async (t) => {
  const root = await Root.at(tempFolder(t), false);
  const readers = new Readers({ root, access: 'public' });
  assert.deepEqual(await readers.decide(ATTEMPT), {
    allowed: true,
    client: undefined,
    root,
    shares: new Map(),
  });
  assert.equal(readers.summary, 'public: whoever can connect may read everything under the root');
});

test('options that do not go together', async (t) => {
  const authorized = [`${pinOf(1)} alice`];
  const cases: readonly (readonly [Partial<NodeOptions>, RegExp])[] = [
    [{ access: 'keys' }, /access: keys needs a list of authorized keys/],
    [{ access: 'keys', authorized, identity: undefined }, /access: keys needs TLS, and so an identity/],
    [{ access: 'keys', authorized: [...authorized, 'bob'] }, /authorized: line 2 is not "sha256/],
  ];
  for (const [options, message] of cases)
    await assert.rejects(
      testNode(t, { identity: IDENTITY, ...options }),
      (error) => error instanceof ViaductError && error.code === 'USAGE' && message.test(error.message),
    );
});
