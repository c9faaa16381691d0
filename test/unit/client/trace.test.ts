import { outcomeOf } from '#src/cli/exit-codes.js';
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type HostHop, type TracedHop, ViaductError, formatHop, traceRoute } from 'viaduct';
import { STATUS_BYTES } from '#src/client/trace.js';
import { VERSION } from '#src/version.js';
import { httpHop } from '../../support/http-hop.js';
import { watchDescriptors } from '../../support/leaks.js';
import { testChain, testNode } from '../../support/nodes.js';
import { rawServer } from '../../support/raw.js';
import { tempFolder } from '../../support/temp.js';
import { TRUSTED } from '../../support/identity.js';
import { PLAIN, WIRES } from '../../support/wires.js';

const states = (hops: readonly TracedHop[]): readonly string[] => hops.map(({ state }) => state);

/** The first hop that does not answer has the error, and no other. */
function errorOf(hops: readonly TracedHop[]): ViaductError {
  const errors = hops.flatMap((hop) => (hop.state === 'up' || hop.error === undefined ? [] : [hop.error]));
  assert.equal(errors.length, 1);
  const [error] = errors;
  const broken = hops.find(({ state }) => state !== 'up');
  assert.ok(error !== undefined && broken?.state !== 'up' && broken?.error === error);
  return error;
}

for (const wire of WIRES)
  test(`every hop is asked three times, and told in order as it answers, ${wire.name}`, async (t) => {
    const { nodes, route } = await testChain(t, 4);
    const nothingOpen = watchDescriptors();
    const told: TracedHop[] = [];
    const hops = await traceRoute(route, { ...wire.options, onHop: (hop) => told.push(hop) });
    assert.deepEqual(told, hops);
    let before = 0;
    for (const [index, traced] of hops.entries()) {
      assert.ok(traced.state === 'up');
      assert.deepEqual([traced.number, traced.hop, traced.version], [index + 1, route[index], VERSION]);
      assert.ok(traced.roundTripMs > 0);
      assert.equal(traced.linkMs, Math.max(0, traced.roundTripMs - before));
      before = traced.roundTripMs;
    }
    await nothingOpen();
    const accepted = nodes.map(({ events }) => events.filter(({ type }) => type === 'accepted').length);
    // In TLS, the probes of a hop share a connection.
    assert.deepEqual(accepted, wire.name === 'plain' ? [12, 9, 6, 3] : [4, 3, 2, 1]);
  });

for (const wire of WIRES)
  test(`one probe asks each hop once, ${wire.name}`, async (t) => {
    const { nodes, route } = await testChain(t, 2);
    assert.deepEqual(states(await traceRoute(route, { ...wire.options, probes: 1 })), ['up', 'up']);
    const accepted = nodes.map(({ events }) => events.filter(({ type }) => type === 'accepted').length);
    assert.deepEqual(accepted, [2, 1]);
  });

/** A proxy that passes each chunk on a while later, both ways. */
async function slowLink(t: TestContext, target: HostHop, ms: number): Promise<HostHop> {
  const { hop } = await rawServer(t, (client) => {
    const upstream = connect({ ...target, allowHalfOpen: true });
    t.after(() => upstream.destroy());
    upstream.on('error', () => {});
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('data', (chunk) => void delay(ms).then(() => other.write(chunk)));
      one.once('end', () => void delay(ms).then(() => other.end()));
    }
  });
  return hop;
}

for (const wire of WIRES)
  test(`a slow link adds its time to its own hop and to no other, ${wire.name}`, async (t) => {
    const { route } = await testChain(t, 4);
    const [second, third] = [route[1], route[2]];
    assert.ok(second && third);
    const hops = await traceRoute(route.with(2, await slowLink(t, third, 300)), wire.options);
    const links = hops.map((hop) => (hop.state === 'up' ? hop.linkMs : NaN));
    assert.equal(links.indexOf(Math.max(...links)), 2, links.join(', '));
    const trips = hops.map((hop) => (hop.state === 'up' ? hop.roundTripMs : NaN));
    assert.ok((trips[3] ?? 0) >= 300 && (trips[2] ?? 0) >= 300, trips.join(', '));
  });

test('a host that occurs twice is told apart by its number', async (t) => {
  const { route } = await testChain(t, 2);
  const refusing = { host: '127.0.0.1', port: 9 };
  const hops = await traceRoute([...route, ...route, refusing], TRUSTED);
  assert.deepEqual(states(hops), ['up', 'up', 'up', 'up', 'down']);
  assert.equal(errorOf(hops).hopNumber, 5);
});

test('a route that is too long is refused before anything is dialled', async (t) => {
  const { hop, events } = await testNode(t);
  await assert.rejects(traceRoute([hop, hop, hop], { ...TRUSTED, maxHops: 2 }), { code: 'TOO_MANY_HOPS' });
  assert.equal(events.length, 0);
});

test('a node that allows fewer hops: what lies beyond is not reached', async (t) => {
  const { route } = await testChain(t, 4, { maxHops: 2 });
  const hops = await traceRoute(route, TRUSTED);
  assert.deepEqual(states(hops), ['up', 'up', 'unreached', 'unreached']);
  assert.equal(errorOf(hops).code, 'TOO_MANY_HOPS');
});

test('a web server that a relay allows by name is up, and no node', async (t) => {
  for (const answer of [
    'HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone',
    'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nwelcome',
    `HTTP/1.1 200 OK\r\nContent-Length: ${STATUS_BYTES + 1}\r\n\r\n`,
    'HTTP/1.1 200 OK\r\n\r\nwelcome',
  ]) {
    const server = await httpHop(t, (socket) => socket.end(answer));
    const relay = await testNode(t, { allowHops: ['127.0.0.1'] });
    const hops = await traceRoute([relay.hop, server.hop], PLAIN.options);
    assert.deepEqual(states(hops), ['up', 'up'], answer);
    assert.ok(hops[1]?.state === 'up');
    assert.equal(hops[1].version, undefined);
  }
});

/** A first hop that answers for itself, and does something else with requests to relay. */
async function relayThat(t: TestContext, answer: string): Promise<HostHop> {
  const { hop } = await rawServer(t, (socket) => {
    socket.once('data', (head: Buffer) => {
      const status = 'HTTP/1.1 200 OK\r\nViaduct: 1\r\nContent-Length: 2\r\n\r\n{}';
      socket.end(head.toString().startsWith('GET /.viaduct/') ? status : answer);
    });
  });
  return hop;
}

test('a chain that breaks without a word: the first hop behind which it does is named', async (t) => {
  for (const answer of ['', 'HTTP/1.1 200 OK\r\nViaduct: 1\r\nContent-Length: 9\r\n\r\n{']) {
    const first = await relayThat(t, answer);
    const hops = await traceRoute([first, { host: 'h2', port: 2 }, { host: 'h3', port: 3 }], PLAIN.options);
    assert.deepEqual(states(hops), ['up', 'down', 'unreached']);
    const error = errorOf(hops);
    const { code, hopAddress, hopNumber, message } = error;
    assert.deepEqual([code, outcomeOf(error).exit, hopAddress, hopNumber], ['CUT_SHORT', 18, 'h2:2', 2]);
    assert.equal(message, 'hop 2 (h2:2) broke the connection before its reply was whole');
  }
});

test('a first hop that dies is named, whatever became of those behind it', async (t) => {
  const { hop } = await rawServer(t, (socket) => socket.resetAndDestroy());
  const hops = await traceRoute([hop, { host: 'h2', port: 2 }, { host: 'h3', port: 3 }], PLAIN.options);
  assert.deepEqual(states(hops), ['down', 'unreached', 'unreached']);
  assert.equal(errorOf(hops).hopAddress, formatHop(hop));
});

test('a relay that talks nonsense of its neighbours is believed nothing but that there is an error', async (t) => {
  const problem = JSON.stringify({ code: 'REFUSED', hop: 1, detail: 'hop 1 is \u001b[2J gone' });
  const first = await relayThat(
    t,
    'HTTP/1.1 502 Bad Gateway\r\nViaduct: 1\r\nContent-Type: application/problem+json\r\n' +
      `Proxy-Status: x;error=connection_refused\r\nContent-Length: ${problem.length}\r\n\r\n${problem}`,
  );
  const hops = await traceRoute([first, { host: 'h2', port: 2 }], PLAIN.options);
  assert.deepEqual(states(hops), ['up', 'unreached']);
  const { code, message } = errorOf(hops);
  assert.deepEqual([code, message], ['REFUSED', 'hop 1 is \\x1b[2J gone']);
});

test('the signal ends it with its reason, and every connection', async (t) => {
  const { hop: silent } = await rawServer(t, (socket) => void socket.resume());
  const { route } = await testChain(t, 2, { root: tempFolder(t) });
  const nothingOpen = watchDescriptors();
  const ending = new AbortController();
  const reason = new ViaductError('ABORTED', 'enough');
  const tracing = traceRoute([...route, silent], {
    ...TRUSTED,
    signal: ending.signal,
    onHop: ({ number }) => number === 2 && ending.abort(reason),
  });
  await assert.rejects(tracing, reason);
  await nothingOpen();
  await assert.rejects(traceRoute(route, { ...TRUSTED, signal: AbortSignal.abort(reason) }), reason);
});
