import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import type { Pump } from '#src/pump/pump.js';
import { blocked, closed } from '../../support/streams.js';
import { ENDLESS_BYTES, manyBytes, startFlow } from '../../support/flows.js';
import { readToEnd } from '../../support/raw.js';

const MIB = 1024 * 1024;
const LARGE = 12 * MIB;

/** Writes bytes in pieces, each one read before the next is written. */
async function writeApart(socket: Socket, reader: Socket, pieces: readonly Buffer[]): Promise<void> {
  for (const piece of pieces) {
    const read = once(reader, 'data');
    socket.write(piece);
    await read;
  }
}

/** What every pump makes of a reply whose length is known. */
export function pumpKeepsLength(name: string, pump: Pump): void {
  describe(`${name}: a reply of known length`, () => {
    for (const [what, length, sent] of [
      ['exactly its bytes', 1000, 1000],
      ['more bytes in the same chunk', 1000, 1500],
      ['one byte more', 1000, 1001],
      ['a large body and more', MIB, MIB + 70_000],
      ['a larger body and more', LARGE, LARGE + 70_000],
      ['no bytes', 0, 0],
      ['bytes, though it has none', 0, 500],
    ] as const) {
      for (const already of [0, 300, 1000]) {
        if (already > sent) continue;
        test(`${what}, ${already} of them read before`, async (t) => {
          const bytes = randomBytes(sent);
          const flow = await startFlow(t, pump, 'reply', {
            length,
            fromUpstream: bytes.subarray(0, already),
          });
          const reading = readToEnd(flow.client);
          // No FIN: the length alone ends it.
          flow.upstream.write(bytes.subarray(already));
          const got = await reading;
          assert.equal(got.how, 'end');
          assert.ok(got.bytes.equals(bytes.subarray(0, length)), `${got.bytes.length} of ${length}`);
          assert.deepEqual(await flow.result, { toClient: length, toUpstream: 0, failure: undefined });
          await closed(flow.upstreamStream);
          assert.equal(flow.clientStream.closed, false);
        });
      }
    }

    for (const extra of [0, 1, 10]) {
      test(`many chunks, and ${extra} bytes more with the last`, async (t) => {
        const flow = await startFlow(t, pump, 'reply', { length: 50 });
        const reading = readToEnd(flow.client);
        const pieces = ['0123456789', 'abcdefghij', 'ABCDEFGHIJ', '9876543210'].map((text) =>
          Buffer.from(text),
        );
        await writeApart(flow.upstream, flow.client, pieces);
        flow.upstream.end(`jihgfedcba${'!'.repeat(extra)}`);
        const { bytes, how } = await reading;
        assert.equal(how, 'end');
        assert.equal(bytes.toString(), `${pieces.join('')}jihgfedcba`);
        assert.equal((await flow.result).failure, undefined);
      });
    }

    for (const [length, already, sent] of [
      [1000, 0, 0],
      [1000, 0, 999],
      [1000, 999, 999],
      [1, 0, 0],
      [MIB, 0, MIB - 1],
      [MIB, MIB - 1, MIB - 1],
      [LARGE, 0, LARGE - 1],
    ] as const) {
      test(`${sent} of ${length} bytes and FIN, ${already} read before: a reset, not FIN`, async (t) => {
        const bytes = randomBytes(sent);
        const flow = await startFlow(t, pump, 'reply', { length, fromUpstream: bytes.subarray(0, already) });
        const reading = readToEnd(flow.client);
        flow.upstream.end(bytes.subarray(already));
        const got = await reading;
        assert.equal(got.how, 'reset');
        assert.ok(bytes.subarray(0, got.bytes.length).equals(got.bytes));
        const { toClient, failure } = await flow.result;
        assert.deepEqual(failure, { side: 'upstream', code: 'CUT_SHORT', cause: undefined });
        assert.equal(toClient, sent);
        await Promise.all([closed(flow.clientStream), closed(flow.upstreamStream)]);
      });
    }

    for (const [what, extra] of [
      ['exactly its bytes', 0],
      ['more', 5 * MIB],
    ] as const) {
      test(`a reader who takes nothing for a while gets all of it, and no more: ${what}`, async (t) => {
        const length = ENDLESS_BYTES;
        const bytes = manyBytes(length + extra);
        const flow = await startFlow(t, pump, 'reply', { length });
        flow.upstream.write(bytes);
        await blocked(flow.upstream);
        const got = await readToEnd(flow.client);
        assert.equal(got.how, 'end');
        assert.ok(got.bytes.equals(bytes.subarray(0, length)), `${got.bytes.length} bytes came`);
        assert.deepEqual(await flow.result, { toClient: length, toUpstream: 0, failure: undefined });
        await closed(flow.upstreamStream);
      });
    }

    test('all of it read before, and more than a reader takes at once', async (t) => {
      const bytes = randomBytes(LARGE + 1000);
      const flow = await startFlow(t, pump, 'reply', { length: LARGE, fromUpstream: bytes });
      const got = await readToEnd(flow.client);
      assert.equal(got.how, 'end');
      assert.ok(got.bytes.equals(bytes.subarray(0, LARGE)));
      assert.equal((await flow.result).toClient, LARGE);
    });

    test('a reset after its last byte is none of its business', async (t) => {
      const flow = await startFlow(t, pump, 'reply', { length: 5 });
      const reading = readToEnd(flow.client);
      flow.upstream.write('whole');
      assert.deepEqual(await reading, { bytes: Buffer.from('whole'), how: 'end' });
      flow.upstream.resetAndDestroy();
      assert.equal((await flow.result).failure, undefined);
    });
  });
}
