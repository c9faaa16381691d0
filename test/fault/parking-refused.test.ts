import assert from 'node:assert/strict';
import { type TestContext, suite, test } from 'node:test';
import type { NodeOptions } from 'viaduct';
import { parseParkRules } from '#src/identity/park-rules.js';
import type { ParkingLimits } from '#src/node/parking/lobby.js';
import { PARKING_TIMES, controlFields } from '#src/wire/parking.js';
import { parseReply, problemOf } from '../support/http.js';
import { IDENTITY, PIN } from '../support/identity.js';
import { watchDescriptors } from '../support/leaks.js';
import { type TestNode, testNode } from '../support/nodes.js';
import { type Talk, parkByHand, parkingHead, proofFor, readyByHand, tlsTo } from '../support/park-client.js';
import { exchange } from '../support/raw.js';
import { type TestIdentity, testIdentity } from '../support/tunnels.js';

const OTHER = testIdentity();
const THIRD = testIdentity();

async function answerOf(talk: Talk) {
  await talk.ended;
  const reply = parseReply(Buffer.from(talk.heard, 'latin1'));
  const { code, detail, hop } = problemOf(reply);
  return { status: reply.status, code, detail, hop };
}

/** Parks, and has to be refused. */
async function refusal(
  t: TestContext,
  relay: TestNode,
  name: string | undefined,
  identity: TestIdentity | typeof IDENTITY = IDENTITY,
) {
  return answerOf(await parkByHand(t, relay.hop, name, identity));
}

function parkedAt({ events }: TestNode): string[] {
  return events.flatMap((event) => (event.type === 'parked' ? [event.name] : []));
}

/** A relay with other limits. */
function limitedRelay(t: TestContext, limits: Partial<ParkingLimits>, options: Partial<NodeOptions> = {}) {
  return testNode(t, { parkFor: 'any', ...options }, { parkingLimits: limits });
}

suite('who may park', () => {
  test('nobody without --park-for, and in one clear line', async (t) => {
    const relay = await testNode(t);
    assert.deepEqual(await refusal(t, relay, 'attic'), {
      status: 403,
      code: 'PARKING_REFUSED',
      detail: 'hop 1: this node parks no nodes; start it with --park-for',
      hop: 1,
    });
  });

  test('the pins of a file, and its names for their owners', async (t) => {
    const rules = parseParkRules(`${PIN}\n${OTHER.pin} cellar\n`, 'pins');
    const relay = await testNode(t, { parkFor: rules });
    const unknown = await refusal(t, relay, 'attic', THIRD);
    assert.equal(unknown.status, 403);
    assert.equal(
      unknown.detail,
      `hop 1: this node does not park nodes with the pin ${THIRD.pin} (--park-for)`,
    );
    const reserved = await refusal(t, relay, 'cellar');
    assert.equal(reserved.code, 'PARKING_REFUSED');
    assert.equal(reserved.detail, 'hop 1: this node has the name "cellar" for another node (--park-for)');
    await parkByHand(t, relay.hop, 'cellar', OTHER);
    await parkByHand(t, relay.hop, 'attic');
    await parkByHand(t, relay.hop, undefined);
    assert.deepEqual(parkedAt(relay).length, 3);
  });

  test('a name belongs to the first key that took it, also when that one has left', async (t) => {
    const relay = await testNode(t, { parkFor: 'any' });
    const owner = await parkByHand(t, relay.hop, 'attic');
    const message =
      'hop 1: this node knows the name "attic" as another node\'s; choose another --name, or have it forgotten there (viaduct parked forget attic)';
    assert.equal((await refusal(t, relay, 'attic', OTHER)).detail, message);
    // The owner is not disturbed by that.
    owner.socket.write('ping\n');
    await owner.until(/pong\n/);
    owner.socket.end();
    await relay.event('unparked');
    assert.equal((await refusal(t, relay, 'ATTIC', OTHER)).detail, message);
  });
});

/** Without the hop's number. */
function outcome(refused: Awaited<ReturnType<typeof refusal>>): readonly unknown[] {
  return [refused.status, refused.code, refused.detail.replace('hop 1: ', '')];
}

suite('limits', () => {
  test('nodes in all', async (t) => {
    const relay = await limitedRelay(t, { nodes: 2 }, { maxParked: 2 });
    await parkByHand(t, relay.hop, 'one');
    await parkByHand(t, relay.hop, 'two', OTHER);
    const text = 'no room to park: it parks at most 2 nodes (--max-parked)';
    assert.deepEqual(outcome(await refusal(t, relay, 'three', THIRD)), [503, 'UNAVAILABLE', text]);
  });

  test('connections of parked nodes: a quarter is left to clients', async (t) => {
    const relay = await limitedRelay(t, {}, { maxConnections: 20 });
    // 15 of 20 places, of which each node takes five.
    for (const [name, identity] of Object.entries({ one: IDENTITY, two: OTHER, three: THIRD })) {
      const talk = await parkByHand(t, relay.hop, name, identity);
      await talk.until(/(open \S+\n){4}/);
    }
    const text =
      'no room to park: the connections for parked nodes are used up (--max-connections, --park-ready)';
    assert.deepEqual(outcome(await refusal(t, relay, 'four', testIdentity())), [503, 'UNAVAILABLE', text]);
  });

  test('nodes with one pin', async (t) => {
    const relay = await limitedRelay(t, { nodesPerPin: 2 });
    await parkByHand(t, relay.hop, 'one');
    await parkByHand(t, relay.hop, undefined);
    const text = 'no room to park: it parks at most 2 nodes with one pin';
    assert.deepEqual(outcome(await refusal(t, relay, 'three')), [503, 'UNAVAILABLE', text]);
    // Its own place it keeps.
    assert.match((await parkByHand(t, relay.hop, 'one')).heard, /^HTTP\/1\.1 101 /);
  });

  test('nodes of one address', async (t) => {
    const relay = await limitedRelay(t, { nodesPerNetwork: 2 });
    await parkByHand(t, relay.hop, 'one');
    await parkByHand(t, relay.hop, 'two', OTHER);
    const text = 'no room to park: it parks at most 2 nodes of one address (--max-parked-per-client)';
    assert.deepEqual(outcome(await refusal(t, relay, 'three', THIRD)), [503, 'UNAVAILABLE', text]);
  });

  test('names of one pin', async (t) => {
    const relay = await limitedRelay(t, { nodesPerPin: 100 });
    for (let number = 1; number <= 8; number += 1) await parkByHand(t, relay.hop, `name-${number}`);
    assert.deepEqual(outcome(await refusal(t, relay, 'name-9')), [
      403,
      'PARKING_REFUSED',
      'this node remembers as many names as it may, for this pin or in all; use an earlier one, or have one forgotten',
    ]);
  });

  test('names of one address, also if it comes with many keys and goes again', async (t) => {
    const relay = await limitedRelay(t, { nodesPerNetwork: 2 });
    for (const name of ['one', 'two']) {
      const talk = await parkByHand(t, relay.hop, name, testIdentity());
      talk.socket.destroy();
    }
    while (relay.events.filter(({ type }) => type === 'unparked').length < 2) await new Promise(setImmediate);
    const text = 'no room to park: one address may ask for 2 names (--max-parked-per-client)';
    assert.deepEqual(outcome(await refusal(t, relay, 'three')), [503, 'UNAVAILABLE', text]);
    assert.match((await parkByHand(t, relay.hop, undefined)).heard, /^HTTP\/1\.1 101 /);
  });
});

suite('proofs', () => {
  const text = 'hop 1: this node parks only who proves a key for this very connection, in TLS';

  test('of another connection, replayed', async (t) => {
    const relay = await testNode(t, { parkFor: 'any' });
    const first = await tlsTo(t, relay.hop);
    const fields = controlFields('attic', proofFor(first.socket, OTHER));
    const second = await tlsTo(t, relay.hop);
    second.socket.write(parkingHead(fields));
    assert.deepEqual(await answerOf(second.talk), {
      status: 403,
      code: 'PARKING_REFUSED',
      detail: text,
      hop: 1,
    });
    // It is good where it was made.
    first.socket.write(parkingHead(fields));
    await first.talk.until(/^HTTP\/1\.1 101 /);
  });

  test('of another key than the one that is shown, of none, and a broken one', async (t) => {
    const relay = await testNode(t, { parkFor: 'any' });
    for (const change of ['key', 'signature', 'bit', 'trailing'] as const) {
      const { socket, talk } = await tlsTo(t, relay.hop);
      const [mine, other] = [proofFor(socket, IDENTITY), proofFor(socket, OTHER)];
      const bent = Buffer.from(mine.signature);
      bent.writeUInt8(bent.readUInt8(bent.length - 1) ^ 1, bent.length - 1);
      const proofs = {
        key: { ...mine, key: other.key },
        signature: { ...mine, signature: Buffer.from('no signature') },
        bit: { ...mine, signature: bent },
        // The same key, in another form, would be another pin.
        trailing: { ...mine, key: Buffer.concat([mine.key, Buffer.alloc(1)]) },
      };
      socket.write(parkingHead(controlFields('attic', proofs[change])));
      assert.equal((await answerOf(talk)).detail, text, change);
    }
    assert.deepEqual(parkedAt(relay), []);
  });

  test('without TLS there is nothing to prove', async (t) => {
    const relay = await testNode(t, { parkFor: 'any' });
    const { socket } = await tlsTo(t, relay.hop);
    const fields = controlFields('attic', proofFor(socket, IDENTITY));
    const reply = parseReply((await exchange(t, relay.hop, parkingHead(fields))).bytes);
    assert.deepEqual([reply.status, problemOf(reply).detail], [403, text]);
  });
});

suite('tokens', () => {
  const REFUSED = /^HTTP\/1\.1 403 [^]*did not ask for this connection, or too long ago/;

  test('an unknown one, one used twice, and one after its time', async (t) => {
    const times = { parking: { ...PARKING_TIMES, openMs: 100 }, parkingLimits: { ready: 1 } };
    const relay = await testNode(t, { parkFor: 'any' }, times);
    const nothingOpen = watchDescriptors();
    const bring = async (token: string): Promise<Talk> => {
      const talk = await readyByHand(t, relay.hop, token);
      if (talk.heard.startsWith('HTTP/1.1 101 ')) return talk;
      await talk.ended;
      talk.socket.destroy();
      assert.match(talk.heard, REFUSED, token);
      return talk;
    };
    const isRefused = async (token: string): Promise<void> =>
      assert.match((await bring(token)).heard, REFUSED);
    for (const token of ['x', '', 'A'.repeat(24), '__proto__']) await isRefused(token);
    const control = await parkByHand(t, relay.hop, 'attic');
    const [, token = ''] = await control.until(/open (\S+)\n/);
    const [, next = ''] = await control.until(/open \S+\nopen (\S+)\n/);
    // The second was asked for because the first is too old.
    await isRefused(token);
    const ready = await bring(next);
    const isInTime = !REFUSED.test(ready.heard);
    await isRefused(next);
    assert.ok(!isInTime || !ready.isOver, 'the first connection with it is as good as before');
    control.socket.destroy();
    // They go with their lease.
    await ready.ended;
    ready.socket.destroy();
    await isRefused(control.tokens.at(-1) ?? '');
    await nothingOpen();
  });
});
