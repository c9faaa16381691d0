import assert from 'node:assert/strict';
import { type TestContext, describe, test } from 'node:test';
import { parseReply } from '../support/http.js';
import {
  DIALECTS,
  type Dialect,
  KEYS,
  attempt,
  authorizedFile,
  readable,
  treeToRead,
} from '../support/readers.js';

// Who may read: access × dialect × client × method, every cell. The classic wire has one method.

const CLIENTS = {
  anonymous: { key: undefined, path: '/photos/p.jpg' },
  'with a key that nobody has authorized': { key: KEYS.stranger, path: '/photos/p.jpg' },
  'with an authorized key': { key: KEYS.alice, path: '/photos/p.jpg' },
  'with an authorized key, outside its path': { key: KEYS.alice, path: '/a.txt' },
  'whose authorization has expired': { key: KEYS.bob, path: '/photos/p.jpg' },
} as const;

/** The code of the error and how it begins for the client; undefined if it may read. */
function expected(
  access: 'public' | 'keys',
  dialect: Dialect,
  client: keyof typeof CLIENTS,
): RegExp | undefined {
  if (access === 'public') return undefined;
  if (dialect === 'classic') return /the classic wire has none/;
  if (dialect === 'HTTP' || dialect === 'HTTP over a relay')
    return /an authorized key, in TLS: use viaduct get/;
  switch (client) {
    case 'anonymous':
      return /needs an authorized key: use viaduct get, or curl --cert client\.pem, .* viaduct authorize PIN$/;
    case 'with a key that nobody has authorized':
      return /the key of this client is not authorized: .* viaduct authorize sha256\/\/\S+=$/;
    case 'with an authorized key':
      return undefined;
    case 'with an authorized key, outside its path':
      return /authorized for other paths only$/;
    case 'whose authorization has expired':
      return /has expired/;
  }
}

async function nodesFor(t: TestContext, access: 'public' | 'keys') {
  const lines = [
    `${KEYS.alice.pin} alice path=/photos expires=2999-12-31`,
    `${KEYS.bob.pin} bob expires=2020-01-01T12:00Z`,
  ];
  const authorized = authorizedFile(t, `${lines.join('\n')}\n`);
  return readable(t, { root: treeToRead(t), access, authorized });
}

for (const access of ['public', 'keys'] as const)
  for (const dialect of DIALECTS)
    describe(`${access}, ${dialect}`, () => {
      for (const [client, { key, path }] of Object.entries(CLIENTS))
        for (const method of dialect === 'classic' ? (['GET'] as const) : (['GET', 'HEAD'] as const))
          test(`${method} of a client ${client}`, async (t) => {
            const nodes = await nodesFor(t, access);
            const ended = await attempt(t, nodes, { dialect, key, path, method });
            // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of CLIENTS
            const refusal = expected(access, dialect, client as keyof typeof CLIENTS);
            const text = path === '/a.txt' ? 'a text' : 'a photo';
            if (refusal === undefined) return assertServed(ended.bytes, dialect, method, text);
            const { error } = await nodes.origin.event('failed');
            assert.equal(error.code, 'ACCESS_DENIED');
            assert.match(error.message, refusal);
            if (dialect === 'classic') return assert.deepEqual([ended.how, ended.bytes.length], ['reset', 0]);
            assertRefused(ended.bytes, method, refusal);
          });
    });

function assertServed(bytes: Buffer, dialect: Dialect, method: 'GET' | 'HEAD', text: string): void {
  if (dialect === 'classic') return assert.equal(bytes.toString(), text);
  const { status, fields, body } = parseReply(bytes);
  assert.equal(status, 200);
  assert.equal(fields.get('content-length'), String(text.length));
  assert.equal(body.toString(), method === 'GET' ? text : '');
}

function assertRefused(bytes: Buffer, method: 'GET' | 'HEAD', refusal: RegExp): void {
  const { status, fields, body } = parseReply(bytes);
  assert.equal(status, 403);
  assert.equal(fields.get('www-authenticate'), undefined, 'there is no scheme for it');
  assert.match(fields.get('viaduct-error') ?? '', /^ACCESS_DENIED;hop=\d;detail="hop \d: /);
  assert.equal(fields.get('etag') ?? fields.get('last-modified'), undefined);
  if (method === 'HEAD') return assert.equal(body.length, 0);
  const { detail } = JSON.parse(body.toString()) as { readonly detail: string };
  assert.match(detail, refusal);
  assert.ok(detail.length <= 200, 'clients cut what is longer');
  assert.ok(!/photos|jpg|a\.txt/.test(body.toString()), 'a refusal names no path');
}

test('who reads is reported by name and pin, and who may not by pin', async (t) => {
  const nodes = await nodesFor(t, 'keys');
  for (const [key, client] of [
    [KEYS.alice, 'alice'],
    [KEYS.bob, 'bob'],
    [KEYS.stranger, undefined],
    [undefined, undefined],
  ] as const) {
    const before = nodes.origin.events.length;
    await attempt(t, nodes, { dialect: 'HTTPS', key, path: '/photos/p.jpg' });
    const serving = nodes.origin.events.slice(before).find(({ type }) => type === 'serving');
    assert.ok(serving?.type === 'serving');
    assert.deepEqual([serving.client, serving.clientPin], [client, key?.pin]);
  }
});
