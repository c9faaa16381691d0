import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readlinkSync } from 'node:fs';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { OFFLOAD_BYTES } from '#src/defaults.js';
import { offloadingPump } from '#src/pump/socket-pump.js';
import { blocked, closed } from '../../support/streams.js';
import { ENDLESS_BYTES, manyBytes, startFlow } from '../../support/flows.js';
import { settles } from '../../support/leaks.js';
import type { CountingOffload } from '../../support/offload.js';
import { readToEnd } from '../../support/raw.js';

/** Resolves when a socket has got so many bytes. */
async function gets(socket: Socket, count: number): Promise<void> {
  let bytes = 0;
  while (bytes < count) bytes += ((await once(socket, 'data')) as [Buffer])[0].length;
}

/** When a flow leaves Node, and how often. */
export function pumpHandsOver(offload: CountingOffload): void {
  const pump = offloadingPump(offload);

  /** Flows handed over since. */
  function counter(): () => number {
    const before = offload.taken;
    return () => offload.taken - before;
  }

  describe('hand-over', () => {
    test('comes with the byte that makes a flow large, not before', async (t) => {
      const taken = counter();
      const flow = await startFlow(t, pump, 'reply');
      flow.upstream.write(randomBytes(OFFLOAD_BYTES - 1));
      await gets(flow.client, OFFLOAD_BYTES - 1);
      assert.equal(taken(), 0);
      flow.upstream.write('!');
      await once(flow.client, 'data');
      await settles(
        taken,
        (count) => count === 1,
        (count) => `${count} flows were handed over`,
      );
      const rest = readToEnd(flow.client);
      flow.upstream.end('the end');
      assert.deepEqual(await rest, { bytes: Buffer.from('the end'), how: 'end' });
      assert.deepEqual(await flow.result, { toClient: OFFLOAD_BYTES + 7, toUpstream: 0, failure: undefined });
      assert.equal(taken(), 1);
    });

    test('duplex: what was in the pipe when the other way ended is written and counted once', async (t) => {
      const flow = await startFlow(t, pump, 'duplex');
      const [down, up] = [randomBytes(2 * OFFLOAD_BYTES), manyBytes(ENDLESS_BYTES)];
      flow.upstream.write(down);
      await gets(flow.client, down.length);
      const received = readToEnd(flow.client);
      // Upstream does not read: the pipe fills, and then upstream ends.
      flow.upstream.pause();
      flow.client.end(up);
      await blocked(flow.client);
      flow.upstream.end();
      assert.equal((await received).how, 'end');
      assert.ok((await readToEnd(flow.upstream)).bytes.equals(up));
      assert.deepEqual(await flow.result, {
        toClient: down.length,
        toUpstream: up.length,
        failure: undefined,
      });
    });

    test('of a duplex flow counts both ways together', async (t) => {
      const taken = counter();
      const flow = await startFlow(t, pump, 'duplex');
      flow.upstream.write(randomBytes(OFFLOAD_BYTES / 2));
      await gets(flow.client, OFFLOAD_BYTES / 2);
      assert.equal(taken(), 0);
      flow.client.write(randomBytes(OFFLOAD_BYTES / 2));
      await gets(flow.upstream, OFFLOAD_BYTES / 2);
      await settles(
        taken,
        (count) => count === 1,
        (count) => `${count} flows were handed over`,
      );
      const [down, up] = [readToEnd(flow.client), readToEnd(flow.upstream)];
      flow.upstream.end('down');
      flow.client.end('up');
      assert.deepEqual([(await down).bytes.toString(), (await up).bytes.toString()], ['down', 'up']);
      assert.equal((await flow.result).failure, undefined);
    });

    for (const mode of ['reply', 'duplex'] as const) {
      test(`${mode}: a client that ended before gets all the same`, async (t) => {
        const taken = counter();
        const flow = await startFlow(t, pump, mode);
        const atUpstream = readToEnd(flow.upstream);
        flow.client.end();
        const bytes = randomBytes(8 * OFFLOAD_BYTES);
        const atClient = readToEnd(flow.client);
        if (mode === 'duplex') await atUpstream;
        flow.upstream.end(bytes);
        const got = await atClient;
        assert.equal(got.how, 'end');
        assert.ok(got.bytes.equals(bytes));
        assert.equal((await flow.result).failure, undefined);
        assert.ok(taken() >= 1, 'it was not handed over');
      });
    }

    test('reply: what a client sends meanwhile is dropped, however much it is', async (t) => {
      const taken = counter();
      const flow = await startFlow(t, pump, 'reply');
      flow.upstream.write(randomBytes(2 * OFFLOAD_BYTES));
      await gets(flow.client, 2 * OFFLOAD_BYTES);
      assert.ok(taken() >= 1, 'it was not handed over');
      const sent = once(flow.client, 'finish');
      flow.client.end(Buffer.alloc(16 * 2 ** 20));
      await sent;
      const rest = readToEnd(flow.client);
      flow.upstream.end('the end');
      assert.deepEqual(await rest, { bytes: Buffer.from('the end'), how: 'end' });
      assert.equal((await flow.result).failure, undefined);
    });

    for (const [how, side] of [
      ['close', 'client'],
      ['close', 'upstream'],
      ['reset', 'client'],
      ['reset', 'upstream'],
    ] as const) {
      test(`${how} of the ${side}'s stream: its descriptor stays open until the worker has given it back`, async (t) => {
        const taken = counter();
        const flow = await startFlow(t, offloadingPump(offload, 0), 'duplex');
        flow.upstream.write('a byte');
        await once(flow.client, 'data');
        await settles(
          taken,
          (count) => count === 1,
          (count) => `${count} flows were handed over`,
        );
        const descriptors = offload.lent();
        const sockets = descriptors.map((fd) => readlinkSync(`/proc/self/fd/${fd}`));
        flow[`${side}Stream`][how]();
        assert.ok(flow[`${side}Stream`].closed);
        // The worker has not had time to hear of it: this thread has not returned to its loop.
        assert.deepEqual(
          descriptors.map((fd) => readlinkSync(`/proc/self/fd/${fd}`)),
          sockets,
        );
        const { failure } = await flow.result;
        assert.deepEqual(
          { side: failure?.side, code: failure?.code },
          { side, code: side === 'client' ? 'CLIENT_GONE' : 'CUT_SHORT' },
        );
        await Promise.all([closed(flow.clientStream), closed(flow.upstreamStream)]);
        assert.deepEqual(offload.lent(), []);
      });
    }

    test('the worker gives back what has ended, and fails what breaks', () => {
      assert.ok(offload.ends.includes('returned'));
      assert.ok(offload.ends.includes('failed'));

      assert.deepEqual(offload.deaths, []);
      assert.ok(!offload.ends.includes('lost'));
    });
  });
}
