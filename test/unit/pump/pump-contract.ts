import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { BUFFER_MAX } from '#src/tcp/read-buffer.js';
import { OFFLOAD_BYTES } from '#src/defaults.js';
import type { Pump } from '#src/pump/pump.js';
import { settles } from '../../support/leaks.js';
import { blocked, closed, until } from '../../support/streams.js';
import { ENDLESS_BYTES, manyBytes, startFlow } from '../../support/flows.js';
import { readToEnd } from '../../support/raw.js';

const MIB = 1024 * 1024;
/** Around one buffer, around the size from which a flow may be moved outside of Node, and well beyond it. */
const SIZES = [0, 1, 65_535, 65_536, 65_537, MIB - 1, MIB, MIB + 1, 4 * MIB].concat(
  [-1, 0, 1].map((more) => OFFLOAD_BYTES + more),
);

/** Reads to the end, a little at a time, with a look and a turn of the event loop in between. */
async function readSlowly(socket: Socket, step: number, look = (): void => {}): Promise<Buffer> {
  const chunks: Buffer[] = [];
  while (!socket.readableEnded) {
    look();
    const chunk = socket.read(Math.min(step, socket.readableLength) || undefined) as Buffer | null;
    if (chunk === null) await Promise.race([once(socket, 'readable'), once(socket, 'end')]);
    else chunks.push(chunk);
    await new Promise(setImmediate);
  }
  return Buffer.concat(chunks);
}

/** What every pump does with bytes and FIN, whatever it moves them with. */
export function pumpMovesBytes(name: string, pump: Pump): void {
  for (const size of SIZES) {
    test(`${name}, reply: ${size} bytes arrive as they are, and are counted`, async (t) => {
      const flow = await startFlow(t, pump, 'reply');
      const bytes = randomBytes(size);
      flow.upstream.end(bytes);
      const got = await readToEnd(flow.client);
      assert.equal(got.how, 'end');
      assert.ok(got.bytes.equals(bytes));
      assert.deepEqual(await flow.result, { toClient: size, toUpstream: 0, failure: undefined });
      await closed(flow.upstreamStream);
      assert.equal(flow.clientStream.closed, false);
    });

    test(`${name}, duplex: ${size} bytes go both ways at once`, async (t) => {
      const flow = await startFlow(t, pump, 'duplex');
      const [down, up] = [randomBytes(size), randomBytes(size)];
      flow.upstream.end(down);
      flow.client.end(up);
      const [atClient, atUpstream] = await Promise.all([readToEnd(flow.client), readToEnd(flow.upstream)]);
      assert.deepEqual([atClient.how, atUpstream.how], ['end', 'end']);
      assert.ok(atClient.bytes.equals(down));
      assert.ok(atUpstream.bytes.equals(up));
      assert.deepEqual(await flow.result, { toClient: size, toUpstream: size, failure: undefined });
    });
  }

  describe(`${name}: heads`, () => {
    test('reply: bytes read before go first; those of the client are dropped', async (t) => {
      const fromUpstream = Buffer.from('first, ');
      const flow = await startFlow(t, pump, 'reply', { fromUpstream, fromClient: Buffer.from('late') });
      flow.upstream.end('then');
      const [atClient, atUpstream] = await Promise.all([readToEnd(flow.client), readToEnd(flow.upstream)]);
      assert.equal(atClient.bytes.toString(), 'first, then');
      assert.equal(atUpstream.bytes.length, 0);
      assert.equal((await flow.result).toClient, 11);
    });

    test('duplex: bytes read before go first, both ways', async (t) => {
      const heads = { fromUpstream: Buffer.from('down '), fromClient: Buffer.from('up ') };
      const flow = await startFlow(t, pump, 'duplex', heads);
      flow.upstream.end('1');
      flow.client.end('2');
      const [atClient, atUpstream] = await Promise.all([readToEnd(flow.client), readToEnd(flow.upstream)]);
      assert.equal(atClient.bytes.toString(), 'down 1');
      assert.equal(atUpstream.bytes.toString(), 'up 2');
      assert.deepEqual(await flow.result, { toClient: 6, toUpstream: 4, failure: undefined });
    });

    test('a head larger than all socket buffers goes first and whole', async (t) => {
      const fromUpstream = randomBytes(8 * MIB);
      const flow = await startFlow(t, pump, 'reply', { fromUpstream });
      flow.upstream.end('tail');
      const { bytes } = await readToEnd(flow.client);
      assert.ok(bytes.equals(Buffer.concat([fromUpstream, Buffer.from('tail')])));
    });
  });

  describe(`${name}: half-close`, () => {
    test('reply: what the client sends is dropped, and its FIN is no departure', async (t) => {
      const flow = await startFlow(t, pump, 'reply');
      const atUpstream = readToEnd(flow.upstream);
      flow.client.end('late input');
      await until(() => flow.clientStream.ended);
      const atClient = readToEnd(flow.client);
      flow.upstream.end('the reply');
      assert.deepEqual(await atClient, { bytes: Buffer.from('the reply'), how: 'end' });
      assert.equal((await atUpstream).bytes.length, 0);
      assert.deepEqual(await flow.result, { toClient: 9, toUpstream: 0, failure: undefined });
    });

    test('duplex: the client ends first, and upstream still sends', async (t) => {
      const flow = await startFlow(t, pump, 'duplex');
      flow.client.end('question');
      assert.equal((await readToEnd(flow.upstream)).bytes.toString(), 'question');
      const answer = readToEnd(flow.client);
      flow.upstream.end('answer');
      assert.deepEqual(await answer, { bytes: Buffer.from('answer'), how: 'end' });
      assert.deepEqual(await flow.result, { toClient: 6, toUpstream: 8, failure: undefined });
    });

    test('duplex: upstream ends first, and the client still sends', async (t) => {
      const flow = await startFlow(t, pump, 'duplex');
      flow.upstream.end('greeting');
      assert.equal((await readToEnd(flow.client)).bytes.toString(), 'greeting');
      const rest = readToEnd(flow.upstream);
      flow.client.end('thanks');
      assert.deepEqual(await rest, { bytes: Buffer.from('thanks'), how: 'end' });
      assert.deepEqual(await flow.result, { toClient: 8, toUpstream: 6, failure: undefined });
    });

    test('a byte that arrives leaves before the next one comes', async (t) => {
      const flow = await startFlow(t, pump, 'duplex');
      for (let round = 0; round < 10; round += 1) {
        flow.upstream.write(Buffer.of(round));
        assert.deepEqual(await once(flow.client, 'data'), [Buffer.of(round)]);
        flow.client.write(Buffer.of(round));
        assert.deepEqual(await once(flow.upstream, 'data'), [Buffer.of(round)]);
      }
    });
  });

  test(`${name}: bytes are counted while they move`, async (t) => {
    const flow = await startFlow(t, pump, 'reply');
    const part = manyBytes(MIB);
    let sent = 0;
    for (let round = 0; round < 3; round += 1) {
      flow.upstream.write(part);
      sent += part.length;
      for (let got = 0; got < part.length;) got += ((await once(flow.client, 'data')) as [Buffer])[0].length;
      await settles(
        () => flow.running.moved.toClient,
        (moved) => moved === sent,
        (moved) => `${moved} of ${sent} bytes are counted`,
      );
    }
    flow.upstream.end();
    assert.deepEqual(await flow.result, { toClient: sent, toUpstream: 0, failure: undefined });
    assert.deepEqual(flow.running.moved, { toClient: sent, toUpstream: 0 });
  });

  describe(`${name}: slow readers`, () => {
    test('reply: every byte arrives, and no more than one buffer is held for them', async (t) => {
      const flow = await startFlow(t, pump, 'reply');
      const bytes = manyBytes(ENDLESS_BYTES);
      flow.upstream.end(bytes);
      await blocked(flow.upstream);
      const got = await readSlowly(flow.client, 256 * 1024, () => {
        const { unsent } = flow.clientStream;
        assert.ok(unsent <= BUFFER_MAX, `${unsent} bytes were held`);
      });
      assert.ok(got.equals(bytes));
      assert.deepEqual(await flow.result, { toClient: bytes.length, toUpstream: 0, failure: undefined });
    });

    test('duplex: one slow side does not hold up the other', async (t) => {
      const flow = await startFlow(t, pump, 'duplex');
      const [down, up] = [randomBytes(12 * MIB), randomBytes(MIB)];
      flow.upstream.end(down);
      flow.client.end(up);
      assert.ok((await readToEnd(flow.upstream)).bytes.equals(up));
      assert.ok((await readSlowly(flow.client, 256 * 1024)).equals(down));
      assert.deepEqual(await flow.result, {
        toClient: down.length,
        toUpstream: up.length,
        failure: undefined,
      });
    });
  });
}
