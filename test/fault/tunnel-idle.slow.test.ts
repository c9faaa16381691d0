import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type TestContext, suite, test } from 'node:test';
import { type ErrorCode, type HostHop, type ViaductError, formatHop } from 'viaduct';
import type { PumpName } from '#src/pump/choose-pump.js';
import { withoutCalls } from '../support/calls.js';
import { requestOf } from '../support/http.js';
import { SWITCHING } from '../support/impostors.js';
import { type TestNode, testChain } from '../support/nodes.js';
import { rawConnect, rawServer, readToEnd } from '../support/raw.js';
import { blocked } from '../support/streams.js';

// A relay counts silence of both ways of a tunnel together; a side that takes nothing has a limit of its own.

const LIMIT = { timeout: 20_000 };
const UPGRADE = ['Connection: Upgrade', 'Upgrade: viaduct'];
const SILENCE_MS = 1500;
const STALL_MS = 1500;
const LONG_MS = 30_000;
/** Small enough to be no silence, also on a busy machine. */
const DRIP_MS = 120;
/** Longer than one silence, several times. */
const DRIPS = 40;
/** Of a flow that is moved outside of Node from there on. */
const LARGE = 2 * 1024 * 1024;
const CHUNK = Buffer.alloc(1024, 'x');

interface Tunnel {
  readonly client: Socket;
  readonly end: Socket;
  readonly endHop: HostHop;
  readonly relays: readonly TestNode[];
}

/** A tunnel over two relays, and both of its ends. Only the first relay has short limits. */
async function tunnel(t: TestContext, pump: PumpName, limits = { timeoutMs: SILENCE_MS }): Promise<Tunnel> {
  const [first, second] = [
    await testChain(t, 1, {
      pump,
      stages: true,
      stallTimeoutMs: LONG_MS,
      pauseTimeoutMs: LONG_MS,
      ...limits,
    }),
    await testChain(t, 1, { pump, stages: true, timeoutMs: LONG_MS }),
  ];
  let reached: (socket: Socket) => void;
  const end = new Promise<Socket>((resolve) => (reached = resolve));
  const { hop: endHop } = await rawServer(t, (socket) => {
    socket.once('data', () => {
      socket.pause();
      socket.write(SWITCHING, () => reached(socket));
    });
  });
  const route = [...first.route, ...second.route, endHop];
  const client = await rawConnect(t, route[0] as HostHop);
  client.write(requestOf(route, '/', UPGRADE));
  const [head] = (await once(client, 'data')) as [Buffer];
  assert.match(head.toString(), /^HTTP\/1\.1 101 [^]*\r\n\r\n$/);
  client.pause();
  return { client, end: await end, endHop, relays: [...first.nodes, ...second.nodes] };
}

/** Makes the flow a large one: with the splice pump both relays move it outside of Node. */
async function enlarge({ relays }: Tunnel, pump: PumpName, from: Socket, to: Socket): Promise<void> {
  const isLarge = ({ events }: TestNode): boolean =>
    pump === 'portable' || events.some((event) => event.type === 'stage' && event.stage === 'offloaded');
  do await pour(from, to);
  while (!relays.every(isLarge));
}

/** Sends a large amount, and waits until the other side has it. */
async function pour(from: Socket, to: Socket): Promise<void> {
  let left = LARGE;
  const all = new Promise<void>((resolve) => {
    to.on('data', (bytes: Buffer) => {
      left -= bytes.length;
      if (left <= 0) resolve();
    });
  });
  to.resume();
  from.write(Buffer.alloc(LARGE, 'y'));
  await all;
  to.pause();
  to.removeAllListeners('data');
}

async function drip(from: Socket): Promise<void> {
  for (let count = 0; count < DRIPS; count += 1) {
    from.write(CHUNK);
    await new Promise((resolve) => setTimeout(resolve, DRIP_MS));
  }
  from.end();
}

/** The error with which a relay ended its part of the tunnel. */
async function errorOf([relay]: readonly TestNode[]): Promise<ViaductError> {
  assert.ok(relay);
  return (await relay.event('failed')).error;
}

function tests(pump: PumpName): void {
  for (const size of ['small', 'large'] as const) {
    for (const direction of ['down', 'up'] as const) {
      test(`a ${size} tunnel of one direction, ${direction}, outlives the limit`, LIMIT, async (t) => {
        const built = await tunnel(t, pump);
        const { client, end } = built;
        const [from, to] = direction === 'down' ? [end, client] : [client, end];
        if (size === 'large') await enlarge(built, pump, from, to);
        const got = readToEnd(to);
        const begun = performance.now();
        await drip(from);
        assert.ok(performance.now() - begun > 3 * SILENCE_MS);
        const { bytes, how } = await got;
        assert.deepEqual([bytes.length, how], [DRIPS * CHUNK.length, 'end']);
        // The other direction is still open, and works.
        const back = readToEnd(from);
        to.end(CHUNK);
        assert.deepEqual(await back, { bytes: CHUNK, how: 'end' });
      });
    }

    test(`a ${size} tunnel in which both are silent ends with TIMEOUT on both sides`, LIMIT, async (t) => {
      const built = await tunnel(t, pump);
      const { client, end, relays } = built;
      if (size === 'large') await enlarge(built, pump, end, client);
      const endings = [readToEnd(client), readToEnd(end)];
      for (const ending of endings) assert.deepEqual(await ending, { bytes: Buffer.alloc(0), how: 'reset' });
      const { code, message } = await errorOf(relays);
      assert.equal(code, 'TIMEOUT');
      assert.equal(message, `hop 2 (${formatHop(relays[1]?.hop as HostHop)}) sent nothing for 1.5 s`);
    });

    test(`a ${size} tunnel with FIN on one side and silence on the other ends`, LIMIT, async (t) => {
      for (const direction of ['down', 'up'] as const) {
        const built = await tunnel(t, pump);
        const { client, end, relays } = built;
        const [from, to] = direction === 'down' ? [end, client] : [client, end];
        if (size === 'large') await enlarge(built, pump, from, to);
        const arrived = readToEnd(to);
        from.end();
        assert.equal((await arrived).how, 'end');
        assert.equal((await errorOf(relays)).code, 'TIMEOUT');
      }
    });
  }

  for (const direction of ['down', 'up'] as const) {
    test(`a side that takes nothing ends the tunnel, ${direction}`, LIMIT, async (t) => {
      const limits = { timeoutMs: SILENCE_MS, stallTimeoutMs: STALL_MS, pauseTimeoutMs: STALL_MS };
      const { client, end, relays } = await tunnel(t, pump, limits);
      const [from, to] = direction === 'down' ? [end, client] : [client, end];
      to.pause();
      const poured = readToEnd(from);
      from.write(Buffer.alloc(64 * LARGE));
      await blocked(from);
      const codes: readonly ErrorCode[] = ['STALLED'];
      assert.deepEqual([(await errorOf(relays)).code], codes);
      assert.equal((await poured).how, 'reset');
    });
  }
}

// Mostly waiting.
for (const pump of ['portable', 'splice'] as const)
  suite(`tunnels with the pump ${pump}`, { concurrency: 5, skip: pump === 'splice' && withoutCalls }, () =>
    tests(pump),
  );
