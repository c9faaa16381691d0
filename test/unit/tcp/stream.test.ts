import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { describe, test } from 'node:test';
import { BUFFER_MAX, BUFFER_MIN, Channel } from '#src/tcp/stream.js';
import { blackHole, refusingHop } from '../../support/black-hole.js';
import { acceptedPair, closed, dialledPair, received, stuck } from '../../support/channels.js';
import { readToEnd } from '../../support/raw.js';

const MIB = 1024 * 1024;

for (const [how, makePair] of [
  ['accepted', acceptedPair],
  ['dialled', dialledPair],
] as const) {
  describe(`a channel that was ${how}`, () => {
    test('reads nothing before it is resumed', async (t) => {
      const { channel, peer } = await makePair(t);
      await new Promise<void>((resolve) => peer.write('early', () => resolve()));
      for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
      assert.equal(channel.received, 0);
      assert.equal((await received(channel, 5)).toString(), 'early');
      assert.equal(channel.received, 5);
    });

    test('stops when its consumer has had enough, and goes on when it is resumed', async (t) => {
      const { channel, peer } = await makePair(t);
      const bytes = randomBytes(4 * MIB);
      const chunks: Buffer[] = [];
      const heard = new EventEmitter();
      let ended = false;
      channel.consumer = (chunk) => {
        chunks.push(Buffer.from(chunk));
        heard.emit('something');
        return false;
      };
      channel.onEnd = () => {
        ended = true;
        heard.emit('something');
      };
      // The end may come with the last chunk; there is nothing to ask for then.
      const step = async (): Promise<boolean> => {
        if (ended) return false;
        const something = once(heard, 'something');
        channel.resume();
        await something;
        return !ended;
      };
      peer.end(bytes);
      for (let steps = 1; await step(); steps += 1) {
        await new Promise(setImmediate);
        assert.equal(chunks.length, steps, 'a chunk came without being asked for');
      }
      assert.ok(Buffer.concat(chunks).equals(bytes));
    });

    test('is half-open: after the FIN of its peer it still sends', async (t) => {
      const { channel, peer } = await makePair(t);
      const ended = new Promise<void>((resolve) => (channel.onEnd = resolve));
      channel.resume();
      peer.end();
      await ended;
      const ending = readToEnd(peer);
      channel.write(Buffer.from('still here'), () => {});
      await new Promise<void>((resolve) => channel.finish(resolve));
      assert.deepEqual(await ending, { bytes: Buffer.from('still here'), how: 'end' });
      await closed(channel.socket);
    });

    test('queues FIN after all that was written', async (t) => {
      const { channel, peer } = await makePair(t);
      const bytes = randomBytes(8 * MIB);
      let flushed = false;
      assert.equal(
        channel.write(bytes, () => (flushed = true)),
        false,
      );
      assert.ok(channel.unsent > 0);
      const finished = new Promise<void>((resolve) => channel.finish(resolve));
      assert.ok((await readToEnd(peer)).bytes.equals(bytes));
      await finished;
      assert.ok(flushed);
      assert.equal(channel.unsent, 0);
    });

    test('a small write is taken at once, and nobody is called back', async (t) => {
      const { channel } = await makePair(t);
      const taken = channel.write(Buffer.from('x'), () => assert.fail('called back'));
      assert.equal(taken, true);
      await new Promise(setImmediate);
    });

    test('resets its peer, with what is unsent', async (t) => {
      const { channel, peer } = await makePair(t);
      channel.write(randomBytes(8 * MIB), () => assert.fail('flushed'));
      channel.reset();
      assert.equal((await readToEnd(peer)).how, 'reset');
      await closed(channel.socket);
    });

    test('may be reset whatever it is doing, and twice', async (t) => {
      for (const prepare of [
        (channel: Channel): void => channel.resume(),
        (channel: Channel): void => channel.finish(() => {}),
        (channel: Channel): void => {
          channel.write(randomBytes(8 * MIB), () => {});
          channel.finish(() => {});
        },
      ]) {
        const { channel } = await makePair(t);
        prepare(channel);
        channel.reset();
        channel.reset();
        await closed(channel.socket);
      }
    });

    test('keeps the error that it died of', async (t) => {
      const { channel, peer } = await makePair(t);
      channel.resume();
      peer.resetAndDestroy();
      await closed(channel.socket);
      assert.ok(channel.error);
    });

    // libuv takes a reset that is found together with the last bytes for a clean end.
    test('takes a reset right after bytes for no end', async (t) => {
      const { channel, peer } = await makePair(t);
      channel.onEnd = () => assert.fail('a clean end');
      peer.write('half of it');
      peer.resetAndDestroy();
      await closed(peer);
      channel.resume();
      await closed(channel.socket);
      assert.ok(channel.error);
    });
  });
}

describe('a channel that dials', () => {
  for (const [pace, more] of [
    ['as they come', true],
    ['one after the other', false],
  ] as const) {
    test(`reads into one buffer, which grows with chunks that are taken ${pace}`, async (t) => {
      const { channel, peer } = await dialledPair(t);
      const sizes: number[] = [];
      channel.consumer = (chunk) => {
        sizes.push(chunk.buffer.byteLength);
        if (!more) setImmediate(() => channel.resume());
        return more;
      };
      peer.end(Buffer.alloc(16 * MIB));
      channel.resume();
      await once(channel.socket, 'end');
      assert.deepEqual([sizes[0], sizes.at(-1)], [BUFFER_MIN, BUFFER_MAX]);
      assert.deepEqual(
        sizes,
        sizes.toSorted((a, b) => a - b),
      );
    });
  }

  test('does not overwrite a chunk while its consumer has not had enough of it', async (t) => {
    const { channel, peer } = await dialledPair(t);
    const bytes = randomBytes(2 * MIB);
    let held: Buffer = Buffer.alloc(0);
    channel.consumer = (chunk) => {
      held = chunk;
      return false;
    };
    peer.write(bytes);
    for (let at = 0; at < bytes.length; at += held.length) {
      const enough = stuck(channel);
      channel.resume();
      await enough;
      channel.consumer = (chunk) => {
        held = chunk;
        return false;
      };
      for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
      assert.ok(held.equals(bytes.subarray(at, at + held.length)), `changed at ${at}`);
    }
  });

  test('tells of a refusal as an error and close', async (t) => {
    const { host, port } = await refusingHop(t);
    const channel = Channel.dialling(host, port);
    await closed(channel.socket);
    assert.match(String(channel.error), /ECONNREFUSED/);
  });

  test('may be reset before it is connected', async (t) => {
    const { host, port } = await blackHole(t);
    const channel = Channel.dialling(host, port);
    channel.reset();
    await closed(channel.socket);
    assert.equal(channel.error, undefined);
  });
});
