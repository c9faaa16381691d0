import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { NOTHING_MOVED } from '#src/pump/offload.js';
import type { FlowFailure, Pump } from '#src/pump/pump.js';
import { blocked, closed, until } from '../../support/streams.js';
import { ENDLESS_BYTES, type TestFlow, startFlow } from '../../support/flows.js';
import { readToEnd } from '../../support/raw.js';

const ENDLESS = Buffer.alloc(ENDLESS_BYTES);

const STALL_MS = 600;
const SILENCE_MS = 400;

/** Reads so many bytes of a paused socket, about, and pauses it again. */
async function takes(socket: Socket, count: number): Promise<void> {
  for (let bytes = 0; bytes < count;) {
    socket.resume();
    bytes += ((await once(socket, 'data')) as [Buffer])[0].length;
    socket.pause();
  }
}

/** The pump says what broke, and neither of its sockets is left open. */
async function failedWith(
  flow: TestFlow,
  side: FlowFailure['side'],
  code: FlowFailure['code'],
): Promise<void> {
  const { failure } = await flow.result;
  assert.deepEqual({ side: failure?.side, code: failure?.code }, { side, code });
  await Promise.all([closed(flow.clientStream), closed(flow.upstreamStream)]);
}

/** How every pump ends a flow that breaks. */
export function pumpFails(name: string, pump: Pump): void {
  for (const mode of ['reply', 'duplex'] as const) {
    describe(`${name}, ${mode}: a flow that breaks`, () => {
      test('upstream resets: the client gets what had come, and a reset', async (t) => {
        const flow = await startFlow(t, pump, mode);
        flow.upstream.write('half');
        const [head] = (await once(flow.client, 'data')) as [Buffer];
        assert.equal(head.toString(), 'half');
        const atClient = readToEnd(flow.client);
        flow.upstream.resetAndDestroy();
        assert.equal((await atClient).how, 'reset');
        await failedWith(flow, 'upstream', 'CUT_SHORT');
        assert.equal((await flow.result).toClient, 4);
      });

      test('the client resets: upstream gets a reset', async (t) => {
        const flow = await startFlow(t, pump, mode);
        flow.upstream.write('half');
        await once(flow.client, 'data');
        const atUpstream = readToEnd(flow.upstream);
        flow.client.resetAndDestroy();
        assert.equal((await atUpstream).how, 'reset');
        await failedWith(flow, 'client', 'CLIENT_GONE');
      });

      test('the client resets while it takes nothing', async (t) => {
        const flow = await startFlow(t, pump, mode);
        const atUpstream = readToEnd(flow.upstream);
        flow.upstream.write(ENDLESS);
        await blocked(flow.upstream);
        flow.client.resetAndDestroy();
        assert.equal((await atUpstream).how, 'reset');
        await failedWith(flow, 'client', 'CLIENT_GONE');
      });

      test('upstream is silent for too long', async (t) => {
        const flow = await startFlow(t, pump, mode, { silenceMs: 60 });
        const atClient = readToEnd(flow.client);
        const atUpstream = readToEnd(flow.upstream);
        await failedWith(flow, 'upstream', 'TIMEOUT');
        assert.deepEqual([(await atClient).how, (await atUpstream).how], ['reset', 'reset']);
      });

      test('the client takes nothing for too long, which is no silence of upstream', async (t) => {
        const limits = { silenceMs: 60, stall: 400 };
        const flow = await startFlow(t, pump, mode, { ...limits, fromUpstream: ENDLESS });
        await failedWith(flow, 'client', 'STALLED');
        const { toClient } = await flow.result;
        assert.ok(toClient < ENDLESS.length, `${toClient} bytes are said to have left`);
      });

      test('the client takes nothing for too long, after it took some', async (t) => {
        const flow = await startFlow(t, pump, mode, { silenceMs: STALL_MS / 2, stall: STALL_MS });
        flow.upstream.write(ENDLESS);
        await once(flow.client, 'data');
        flow.client.pause();
        await failedWith(flow, 'client', 'STALLED');
      });

      test('upstream is silent for too long, after it sent some', async (t) => {
        const flow = await startFlow(t, pump, mode, { silenceMs: 200 });
        flow.upstream.write('some');
        const atClient = readToEnd(flow.client);
        await failedWith(flow, 'upstream', 'TIMEOUT');
        assert.deepEqual(await atClient, { bytes: Buffer.from('some'), how: 'reset' });
        assert.equal((await flow.result).toClient, 4);
      });

      test('the caller aborts', async (t) => {
        const flow = await startFlow(t, pump, mode);
        const ends = Promise.all([readToEnd(flow.client), readToEnd(flow.upstream)]);
        flow.abort.abort();
        assert.deepEqual(
          (await ends).map(({ how }) => how),
          ['reset', 'reset'],
        );
        await failedWith(flow, 'client', 'ABORTED');
      });

      test('the caller aborts while the client takes nothing', async (t) => {
        const flow = await startFlow(t, pump, mode);
        flow.upstream.write(ENDLESS);
        await blocked(flow.upstream);
        flow.abort.abort();
        await failedWith(flow, 'client', 'ABORTED');
      });

      test('the caller had aborted before', async (t) => {
        const flow = await startFlow(t, pump, mode, { signal: AbortSignal.abort() });
        await failedWith(flow, 'client', 'ABORTED');
      });
    });
  }

  describe(`${name}: a flow that breaks in one mode's own way`, () => {
    test('reply: upstream resets after its FIN, while the client is still served: nothing is lost', async (t) => {
      const flow = await startFlow(t, pump, 'reply');
      const bytes = Buffer.alloc(400_000, 'x');
      flow.upstream.end(bytes);
      await until(() => flow.upstreamStream.ended);
      flow.upstream.resetAndDestroy();
      const got = await readToEnd(flow.client);
      assert.equal(got.how, 'end');
      assert.ok(got.bytes.equals(bytes));
      assert.equal((await flow.result).failure, undefined);
    });

    test('a client that takes a little now and then is not cut, and is once it takes nothing', async (t) => {
      const flow = await startFlow(t, pump, 'reply', { stall: STALL_MS });
      flow.upstream.write(ENDLESS);
      await blocked(flow.upstream);
      let isOver = false;
      void flow.result.then(() => (isOver = true));
      for (const end = performance.now() + 3 * STALL_MS; performance.now() < end;) {
        await takes(flow.client, 512 * 1024);
        await delay(STALL_MS / 16);
        assert.equal(isOver, false, 'it was cut');
      }
      await failedWith(flow, 'client', 'STALLED');
    });

    for (const [sender, receiver] of [
      ['upstream', 'client'],
      ['client', 'upstream'],
    ] as const) {
      test(`duplex: while ${sender} sends, the silence of the ${receiver} is none`, async (t) => {
        const flow = await startFlow(t, pump, 'duplex', { silenceMs: SILENCE_MS });
        flow[receiver].resume();
        let isOver = false;
        void flow.result.then(() => (isOver = true));
        for (const end = performance.now() + 3 * SILENCE_MS; performance.now() < end;) {
          flow[sender].write('x');
          await delay(SILENCE_MS / 16);
          assert.equal(isOver, false, 'it was cut');
        }
        await failedWith(flow, 'upstream', 'TIMEOUT');
      });
    }

    test('duplex: after the FIN of upstream a client that sends nothing times out', async (t) => {
      const flow = await startFlow(t, pump, 'duplex', { silenceMs: 150 });
      flow.upstream.end('bye');
      const atClient = readToEnd(flow.client);
      await failedWith(flow, 'client', 'TIMEOUT');
      assert.equal((await atClient).bytes.toString(), 'bye');
    });

    test('duplex: upstream takes nothing for too long', async (t) => {
      const flow = await startFlow(t, pump, 'duplex', { stall: 150 });
      flow.client.write(ENDLESS);
      await failedWith(flow, 'upstream', 'STALLED');
    });

    test('duplex: upstream resets after its FIN, while the client still sends', async (t) => {
      const flow = await startFlow(t, pump, 'duplex');
      flow.upstream.end('bye');
      const atClient = await readToEnd(flow.client);
      assert.equal(atClient.how, 'end');
      flow.upstream.resetAndDestroy();
      // After FIN the kernel tells of a reset only when something is written.
      flow.client.write(ENDLESS);
      await failedWith(flow, 'upstream', 'CUT_SHORT');
    });

    test('the client was gone before', async (t) => {
      const flow = await startFlow(t, goneBefore(pump, 'client'), 'reply');
      await failedWith(flow, 'client', 'CLIENT_GONE');
    });

    test('upstream was gone before', async (t) => {
      const flow = await startFlow(t, goneBefore(pump, 'upstream'), 'reply');
      await failedWith(flow, 'upstream', 'CUT_SHORT');
    });
  });
}

/** The pump, given a flow of which one side is dead already. */
function goneBefore(pump: Pump, side: FlowFailure['side']): Pump {
  return (flow) => {
    flow[side].reset();
    const result = closed(flow[side]).then(() => pump(flow).result);
    return { moved: NOTHING_MOVED, result };
  };
}
