import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { type Hop, listFolder } from 'viaduct';
import { Lease } from '#src/node/parking/lease.js';
import type { ByteStream } from '#src/tcp/byte-stream.js';
import { PARKING_TIMES } from '#src/wire/parking.js';
import { countingProxy } from '../support/counting-proxy.js';
import { failureOf } from '../support/failures.js';
import { fetchBytes, fetchFailure } from '../support/fetch.js';
import { parseReply, requestOf } from '../support/http.js';
import { PIN } from '../support/identity.js';
import { settles } from '../support/leaks.js';
import { testNode } from '../support/nodes.js';
import { parkByHand, readyByHand } from '../support/park-client.js';
import { parkedNode } from '../support/parking.js';
import { exchange } from '../support/raw.js';
import { tempFolder } from '../support/temp.js';
import { WIRES } from '../support/wires.js';

/** The first connections that a relay uses die like this; later ones are served. */
async function mortalNode(t: TestContext, deaths: number, die: (stream: ByteStream) => void) {
  const root = tempFolder(t);
  writeFileSync(join(root, 'file'), 'content');
  const relay = await testNode(t, { parkFor: 'any' });
  const real = await testNode(t, { port: undefined, root });
  let requests = 0;
  const { hop } = await parkedNode(t, [relay.hop], {
    name: 'attic',
    serve: (stream, begin) => {
      requests += 1;
      if (requests > deaths) return real.serve(stream, begin);
      t.after(() => stream.reset());
      die(stream);
    },
  });
  const route: readonly [typeof relay.hop, Hop] = [relay.hop, hop];
  return { route, relay, requests: () => requests };
}

const DEATHS: Readonly<Record<string, (stream: ByteStream) => void>> = {
  'a reset': (stream) => stream.reset(),
  FIN: (stream) => stream.finish(),
};

for (const [what, die] of Object.entries(DEATHS)) {
  for (const { name, options } of WIRES)
    describe(`${what} before the first byte of a reply, ${name}`, () => {
      test('another connection is used', async (t) => {
        const { route, requests } = await mortalNode(t, 1, die);
        const [entry] = await listFolder({ route, path: '/' }, options);
        assert.equal(entry?.name, 'file');
        assert.equal(requests(), 2);
      });

      test('but only once', async (t) => {
        const { route, requests } = await mortalNode(t, 2, die);
        assert.equal((await failureOf(listFolder({ route, path: '/' }, options))).code, 'CUT_SHORT');
        assert.equal(requests(), 2);
      });
    });

  test(`${what} before the first byte, raw HTTP: the client gets one whole reply`, async (t) => {
    const { route, requests } = await mortalNode(t, 1, die);
    const { bytes, how } = await exchange(t, route[0], requestOf(route, '/file'));
    assert.deepEqual([how, parseReply(bytes).body.toString(), requests()], ['end', 'content', 2]);
  });
}

test('the classic wire: a reset before the first byte is replaced once, and not twice', async (t) => {
  const once = await mortalNode(t, 1, (stream) => stream.reset());
  assert.equal((await fetchBytes('file', once.route)).toString(), 'content');
  assert.equal(once.requests(), 2);
  const twice = await mortalNode(t, 2, (stream) => stream.reset());
  assert.equal((await fetchFailure('file', twice.route)).code, 'CUT_SHORT');
  assert.equal(twice.requests(), 2);
});

test('after the first byte nothing is replaced', async (t) => {
  const { relay, route, requests } = await mortalNode(t, 1, (stream) => {
    stream.write(Buffer.from('H'));
    stream.finish();
  });
  assert.equal((await failureOf(listFolder({ route, path: '/' }, { plain: true }))).code, 'CUT_SHORT');
  assert.equal(requests(), 1);
  assert.equal((await relay.event('failed')).error.hopAddress, '~attic');
});

test('a ready connection that ended while it waited is replaced before anybody asks', async (t) => {
  const relay = await testNode(t, { parkFor: 'any' }, { parkingLimits: { ready: 1 } });
  const control = await parkByHand(t, relay.hop, 'attic');
  for (const die of ['end', 'destroy', 'resetAndDestroy', 'speak'] as const) {
    const known = control.tokens.length;
    await control.until(/open \S+\n$/);
    const ready = await readyByHand(t, relay.hop, control.tokens.at(-1) ?? '');
    assert.match(ready.heard, /^HTTP\/1\.1 101 /);
    // A node says nothing before it is asked.
    if (die === 'speak') ready.socket.write('\n');
    else ready.socket[die]();
    await settles(
      () => control.tokens.length,
      (count) => count === Math.max(known, 1) + 1,
      (count) => `${count} connections asked for`,
    );
    if (die === 'speak') await ready.ended;
  }
});

test('a burst larger than the ready connections is served at once, and no more is opened than was used', async (t) => {
  const BURST = 32;
  const READY = 2;
  const relay = await testNode(t, { parkFor: 'any' }, { parkingLimits: { ready: READY } });
  const proxy = await countingProxy(t, relay.hop);
  const waiting: ByteStream[] = [];
  let isBurst = true;
  await parkedNode(t, [proxy.hop], {
    name: 'attic',
    serve: (stream) => {
      t.after(() => stream.reset());
      waiting.push(stream);
      // None is answered before all are here.
      if (isBurst && waiting.length < BURST) return;
      isBurst = false;
      for (const each of waiting.splice(0)) {
        each.write(Buffer.from('HTTP/1.1 200 OK\r\nViaduct: 1\r\nContent-Length: 2\r\n\r\nok'));
        each.finish();
      }
    },
  });
  const ask = async (): Promise<number> => {
    const request = requestOf([relay.hop, { parked: 'attic' }], '/file');
    return parseReply((await exchange(t, relay.hop, request)).bytes).status;
  };
  const statuses = await Promise.all(Array.from({ length: BURST }, ask));
  assert.ok(statuses.every((status) => status === 200));
  const opened = (used: number) =>
    settles(
      () => proxy.connections.length,
      (count) => count === 1 + used + READY,
      (count) => `${count} connections for ${used} requests`,
    );
  await opened(BURST);
  // Refilled one by one, and no further.
  for (let more = 1; more <= 3; more += 1) {
    assert.equal(await ask(), 200);
    await opened(BURST + more);
  }
});

test('a node that opens nothing has no more asked of it than it would have ready', async (t) => {
  const times = { parking: { ...PARKING_TIMES, openMs: 30 }, parkingLimits: { ready: 3 } };
  const relay = await testNode(t, { parkFor: 'any' }, times);
  const control = await parkByHand(t, relay.hop, 'attic');
  await control.until(/(open \S+\n){9}/);
  // Three at a time, each time anew; the first ones are no longer good.
  const [first = ''] = control.tokens;
  assert.equal(new Set(control.tokens).size, control.tokens.length);
  const late = await readyByHand(t, relay.hop, first);
  assert.match(late.heard, /^HTTP\/1\.1 403 /);
});

test('requests that wait for a connection of one node are limited', async () => {
  const lease = new Lease({
    name: 'attic',
    pin: PIN,
    network: '127.0.0.1',
    ready: 1,
    tokens: new Map(),
    times: PARKING_TIMES,
    send: () => {},
  });
  const take = (): Promise<ByteStream> => {
    const { signal } = new AbortController();
    const options = { label: 'hop 2 (~attic)', timeoutMs: 60_000, signal, permit: () => {}, client: '' };
    return lease.take({ parked: 'attic' }, options);
  };
  const waits = Array.from({ length: 256 }, () => failureOf(take()));
  const refused = await failureOf(take());
  assert.equal(refused.code, 'UNAVAILABLE');
  assert.match(refused.message, /^hop 2 \(~attic\) has too many requests/);
  assert.ok(lease.connections <= 64, `${lease.connections} asked for at once`);
  lease.end('test');
  const codes = new Set((await Promise.all(waits)).map(({ code }) => code));
  assert.deepEqual([...codes], ['NOT_PARKED']);
});
