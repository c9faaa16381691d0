import assert from 'node:assert/strict';
import { type TestContext, suite, test } from 'node:test';
import { HEAD_BYTES, type Field } from '#src/wire/http/head.js';
import { PARKING_PATH, controlFields, readyFields } from '#src/wire/parking.js';
import { parseReply } from '../support/http.js';
import { IDENTITY } from '../support/identity.js';
import { type TestNode, testNode } from '../support/nodes.js';
import { Talk, parkByHand, parkingHead, proofFor, tlsTo } from '../support/park-client.js';
import { rawConnect } from '../support/raw.js';

type Change = (fields: readonly Field[]) => readonly Field[];

const without =
  (name: string): Change =>
  (fields) =>
    fields.filter(([each]) => each !== name);
const twice =
  (name: string): Change =>
  (fields) =>
    fields.flatMap((field) => (field[0] === name ? [field, field] : [field]));
const instead =
  (name: string, value: string): Change =>
  (fields) =>
    fields.map((field) => (field[0] === name ? [name, value] : field));

const same: Change = (fields) => fields;

/** A request to park that is right but for one thing, and the answer. */
const FORMS: Readonly<
  Record<string, { readonly change?: Change; readonly first?: string; readonly status: number }>
> = {
  'no key': { change: without('Viaduct-Key'), status: 400 },
  'two keys': { change: twice('Viaduct-Key'), status: 400 },
  'an empty key': { change: instead('Viaduct-Key', ''), status: 400 },
  'a key that is no base64': { change: instead('Viaduct-Key', '*'), status: 400 },
  'a key that is no key': { change: instead('Viaduct-Key', 'AAAA'), status: 403 },
  'a large key': { change: instead('Viaduct-Key', 'AAAA'.repeat(2000)), status: 403 },
  'no proof': { change: without('Viaduct-Proof'), status: 400 },
  'two proofs': { change: twice('Viaduct-Proof'), status: 400 },
  'two names': { change: twice('Viaduct-Name'), status: 400 },
  'an empty name': { change: instead('Viaduct-Name', ''), status: 400 },
  'a long name': { change: instead('Viaduct-Name', 'a'.repeat(16)), status: 400 },
  'the name of a file': { change: instead('Viaduct-Name', '../attic'), status: 400 },
  'the name of a member of all objects': { change: instead('Viaduct-Name', '__proto__'), status: 400 },
  'a name with a line end': { change: instead('Viaduct-Name', 'a\nb'), status: 400 },
  'a head that is too large': { change: instead('Viaduct-Key', 'A'.repeat(HEAD_BYTES)), status: 431 },
  // Not a request to park: there is no such file.
  'no upgrade': { change: without('Upgrade'), status: 404 },
  'an upgrade that Connection does not name': { change: without('Connection'), status: 404 },
  'two upgrades': { change: twice('Upgrade'), status: 404 },
  'another upgrade': { change: instead('Upgrade', 'websocket'), status: 404 },
  'HTTP/1.0': { first: `GET ${PARKING_PATH} HTTP/1.0`, status: 404 },
  'another path': { first: 'GET /.viaduct/park HTTP/1.1', status: 404 },
  HEAD: { first: `HEAD ${PARKING_PATH} HTTP/1.1`, status: 404 },
  POST: { first: `POST ${PARKING_PATH} HTTP/1.1`, status: 405 },
  CONNECT: { first: 'CONNECT relay:1 HTTP/1.1', status: 405 },
};

/** Closes, so that the answer ends. */
async function statusOf(talk: Talk): Promise<number> {
  await talk.until(/\r\n\r\n/);
  talk.socket.destroy();
  return parseReply(Buffer.from(talk.heard, 'latin1')).status;
}

function assertNothingParked({ events }: TestNode): void {
  assert.ok(events.every(({ type }) => type !== 'parked'));
}

suite('requests to park that are malformed', () => {
  for (const [what, { change = same, first, status }] of Object.entries(FORMS))
    test(`${what}: ${status}`, async (t) => {
      const relay = await testNode(t, { parkFor: 'any' });
      const { socket, talk } = await tlsTo(t, relay.hop);
      socket.write(parkingHead(change(controlFields('attic', proofFor(socket, IDENTITY))), first));
      assert.equal(await statusOf(talk), status);
      assertNothingParked(relay);
      // The name is as free as before.
      assert.match((await parkByHand(t, relay.hop, 'attic')).heard, /^HTTP\/1\.1 101 /);
    });

  test('bytes that are sent ahead', async (t) => {
    const relay = await testNode(t, { parkFor: 'any' });
    for (const ahead of ['\n', 'ping\n', 'GET / HTTP/1.1\r\n\r\n']) {
      const { socket, talk } = await tlsTo(t, relay.hop);
      const head = parkingHead(controlFields('attic', proofFor(socket, IDENTITY)));
      socket.write(Buffer.concat([head, Buffer.from(ahead)]));
      assert.equal(await statusOf(talk), 400, ahead);
    }
    assertNothingParked(relay);
  });
});

/** The answer to such a request with a good token. */
async function askReady(t: TestContext, change: (token: string) => Buffer): Promise<number> {
  const relay = await testNode(t, { parkFor: 'any' }, { parkingLimits: { ready: 1 } });
  const control = await parkByHand(t, relay.hop, 'attic');
  const [, token = ''] = await control.until(/open (\S+)\n/);
  const talk = new Talk(await rawConnect(t, relay.hop));
  talk.socket.write(change(token));
  const status = await statusOf(talk);
  // A malformed one does not use the token up.
  const good = new Talk(await rawConnect(t, relay.hop));
  good.socket.write(parkingHead(readyFields(token)));
  assert.equal(await statusOf(good), 101);
  return status;
}

const ready =
  (first: string) =>
  (token: string): Buffer =>
    parkingHead(readyFields(token), first);

const readyWithMore = (token: string): Buffer =>
  Buffer.concat([parkingHead(readyFields(token)), Buffer.from('\n')]);

suite('requests for a ready connection that are malformed', () => {
  test('no token, two, or one of another form', async (t) => {
    assert.equal(
      await askReady(t, (token) => parkingHead(without('Viaduct-Token')(readyFields(token)))),
      400,
    );
    assert.equal(await askReady(t, (token) => parkingHead(twice('Viaduct-Token')(readyFields(token)))), 400);
    assert.equal(await askReady(t, (token) => parkingHead(readyFields(`${token}, ${token}`))), 403);
    assert.equal(await askReady(t, (token) => parkingHead(readyFields(token.toLowerCase() + '-'))), 403);
  });

  test('HTTP/1.0, HEAD, and bytes sent ahead', async (t) => {
    assert.equal(await askReady(t, ready(`GET ${PARKING_PATH} HTTP/1.0`)), 404);
    assert.equal(await askReady(t, ready(`HEAD ${PARKING_PATH} HTTP/1.1`)), 404);
    assert.equal(await askReady(t, readyWithMore), 400);
  });
});

suite('control connections that misbehave', () => {
  test('a line without end, and garbage', async (t) => {
    const relay = await testNode(t, { parkFor: 'any' });
    const endless = await parkByHand(t, relay.hop, 'attic');
    endless.socket.write('x'.repeat(10_000));
    await endless.ended;
    assert.equal((await relay.event('unparked')).reason, 'it sent a line that is too long');
    const garbage = await parkByHand(t, relay.hop, 'attic');
    garbage.socket.write('open abc\nbye\n\n\x00\xff\npong\nGET / HTTP/1.1\r\n\r\nping\n');
    await garbage.until(/pong\n/);
    assert.doesNotMatch(garbage.heard, /HTTP\/1\.1 [2-5]/);
  });

  test('pings that come together get one answer', async (t) => {
    const relay = await testNode(t, { parkFor: 'any' });
    const talk = await parkByHand(t, relay.hop, 'attic');
    for (let round = 1; round <= 3; round += 1) {
      talk.socket.write('ping\n'.repeat(1000));
      await talk.until(new RegExp(`(?:pong\n[^]*){${round}}`));
    }
    const { length } = talk.heard.match(/pong\n/g) ?? [];
    assert.ok(length < 100, `${length} answers`);
  });
});
