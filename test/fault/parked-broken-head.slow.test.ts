import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Hop, type Route, type ViaductError, formatHop, get, listFolder, traceRoute } from 'viaduct';
import { outcomeOf } from '#src/cli/exit-codes.js';
import { failureOf } from '../support/failures.js';
import { fetchBytes, fetchFailure } from '../support/fetch.js';
import { parseReply, problemOf, proxyStatusOf, requestOf } from '../support/http.js';
import { watchDescriptors } from '../support/leaks.js';
import { testChain, testNode } from '../support/nodes.js';
import { PARKED_FAULTS, type ParkedFault, parkedServing } from '../support/parked-faults.js';
import { exchange } from '../support/raw.js';
import { tempFolder } from '../support/temp.js';
import { type Wire, WIRES } from '../support/wires.js';

const HOPS = 4;
/** A parked hop is never the first one. */
const PLACES = [2, 3, 4];

/** What is expected of a parked hop that fails. */
interface Failing extends Pick<ParkedFault, 'code' | 'reason'> {
  readonly route: Route;
  readonly place: number;
}

function assertNamed(error: ViaductError, { code, reason, route, place }: Failing): void {
  const hop = route[place - 1];
  assert.ok(hop);
  assert.deepEqual([error.code, error.hopAddress, error.hopNumber], [code, formatHop(hop), place]);
  const label = `hop ${place} (${formatHop(hop)}) `;
  assert.ok(error.message.startsWith(label), error.message);
  assert.match(error.message.slice(label.length), reason);
}

async function failsInClients(folder: string, { options, name }: Wire, failing: Failing): Promise<void> {
  const { route, place } = failing;
  const target = join(folder, `${name}-${place}`);
  const [got, listed, hops] = await Promise.all([
    failureOf(get({ route, path: '/file' }, target, options)),
    failureOf(listFolder({ route, path: '/' }, options)),
    traceRoute(route, options),
  ]);
  assertNamed(got, failing);
  assertNamed(listed, failing);
  assert.deepEqual(
    hops.map(({ state }) => state),
    route.map((_, index) => (index + 1 < place ? 'up' : index + 1 === place ? 'down' : 'unreached')),
  );
  const found = hops[place - 1];
  assert.ok(found?.state === 'down' && found.error);
  assertNamed(found.error, failing);
}

async function failsInRawHttp(
  t: TestContext,
  { route, place, reason }: Failing,
  { status, type }: Pick<ParkedFault, 'status' | 'type'>,
): Promise<void> {
  const [first] = route;
  const hop = route[place - 1];
  assert.ok(first && 'host' in first && hop);
  const reply = parseReply((await exchange(t, first, requestOf(route, '/file'))).bytes);
  assert.equal(reply.status, status);
  const { error, hop: named, details } = proxyStatusOf(reply) ?? {};
  assert.deepEqual([error, named], [type, formatHop(hop)]);
  const problem = problemOf(reply);
  assert.deepEqual([problem.hop, problem.address, problem.detail], [place, formatHop(hop), details]);
  assert.match(problem.detail.replace(/^hop \d \(\S+\) /, ''), reason);
}

test('a parked hop that fails before its reply is named with its reason, at each place', async (t) => {
  const folder = tempFolder(t);
  const options = { root: folder, parkFor: 'any' as const };
  const { nodes: usual } = await testChain(t, HOPS, options);
  const { nodes: hasty } = await testChain(t, HOPS, { ...options, connectTimeoutMs: 1000 });
  const nothingOpen = watchDescriptors();
  for (const [index, fault] of PARKED_FAULTS.entries())
    await t.test(fault.what, async (st) => {
      const nodes = fault.code === 'CONNECT_TIMEOUT' ? hasty : usual;
      await Promise.all(
        PLACES.map(async (place) => {
          const relay = nodes[place - 2];
          assert.ok(relay);
          const hop = await fault.at(st, relay, 'attic');
          const route = nodes.map((node): Hop => node.hop).with(place - 1, hop);
          const failing = { ...fault, route, place };
          // Each fault meets each wire, and over all faults each place does.
          const wire = WIRES[(index + place) % WIRES.length];
          assert.ok(wire);
          await Promise.all([failsInClients(folder, wire, failing), failsInRawHttp(st, failing, fault)]);
          if (fault.isFileOnClassic) return;
          assert.equal((await fetchFailure('file', route)).code, 'CUT_SHORT');
        }),
      );
    });
  await nothingOpen();
  assert.deepEqual(readdirSync(folder), []);
});

test('the classic wire: the relay before logs the parked hop and the reason', async (t) => {
  for (const { what, at, code, reason, isFileOnClassic } of PARKED_FAULTS) {
    if (isFileOnClassic) continue;
    await t.test(what, async (st) => {
      const limit = code === 'CONNECT_TIMEOUT' ? { connectTimeoutMs: 1000 } : {};
      const relay = await testNode(st, { parkFor: 'any', ...limit });
      const hop = await at(st, relay, 'attic');
      await fetchFailure('file', [relay.hop, hop]);
      const { error } = await relay.event('failed');
      // A reset after the request is one in mid-file: this wire has no head.
      assert.deepEqual([error.code, error.hopAddress], [code, '~attic']);
      if (code !== 'CUT_SHORT') assert.match(error.message.replace('next hop ~attic ', ''), reason);
      else assert.match(error.message, /^next hop ~attic reset the connection after 0 bytes$/);
    });
  }
});

test('a parked hop that is silent: the relay before times out and names it', async (t) => {
  await Promise.all(
    PLACES.map(async (place) => {
      const nodes = await Promise.all(
        Array.from({ length: HOPS }, (_, index) =>
          testNode(
            t,
            { parkFor: 'any', timeoutMs: index === place - 2 ? 600 : 600_000 },
            { headPerHopMs: 50 },
          ),
        ),
      );
      const relay = nodes[place - 2];
      assert.ok(relay);
      const hop = await parkedServing(() => {})(t, relay, 'attic');
      const route = nodes.map((node): Hop => node.hop).with(place - 1, hop);
      // As many hops as are behind it have their time too; a trace goes only as far as the silent one.
      const reason = /^sent no reply within 0\.(65|7|75) s$/;
      const failing: Failing = { code: 'TIMEOUT', reason, route, place };
      for (const wire of WIRES) await failsInClients(tempFolder(t), wire, failing);
      await failsInRawHttp(t, failing, { status: 504, type: 'connection_read_timeout' });
      assert.equal((await fetchFailure('file', route)).code, 'CUT_SHORT');
    }),
  );
});

test('an empty file of a parked node is an empty file on the classic wire, and no retry', async (t) => {
  const relay = await testNode(t, { parkFor: 'any' });
  let requests = 0;
  const hop = await parkedServing((stream) => {
    requests += 1;
    stream.finish();
  })(t, relay, 'attic');
  assert.equal((await fetchBytes('file', [relay.hop, hop])).length, 0);
  assert.equal(requests, 1);
});

test('the exit codes and hints of the command line', () => {
  const exits = Object.fromEntries(PARKED_FAULTS.map(({ code }) => [code, outcomeOf({ code }).exit]));
  assert.deepEqual(exits, {
    NOT_PARKED: 7,
    CONNECT_TIMEOUT: 28,
    CUT_SHORT: 18,
    NOT_A_NODE: 7,
    BAD_REPLY: 56,
  });
});
