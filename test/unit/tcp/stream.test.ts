import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { ByteStream } from '#src/tcp/byte-stream.js';
import { TcpStream } from '#src/tcp/stream.js';
import { blackHole, refusingHop } from '../../support/black-hole.js';
import { STREAMS, closed, received, takesAll, until } from '../../support/streams.js';
import { readToEnd } from '../../support/raw.js';

const MIB = 1024 * 1024;

for (const [how, makePair] of STREAMS) {
  describe(`a stream that was ${how}`, () => {
    test('reads nothing before a reader resumes it', async (t) => {
      const { stream, peer } = await makePair(t);
      await new Promise<void>((resolve) => peer.write('early', () => resolve()));
      for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
      assert.equal(stream.received, 0);
      assert.equal((await received(stream, 5)).toString(), 'early');
      assert.equal(stream.received, 5);
    });

    test('stops when its reader has had enough, and continues when it is resumed', async (t) => {
      const { stream, peer } = await makePair(t);
      const bytes = randomBytes(4 * MIB);
      const chunks: Buffer[] = [];
      const heard = new EventEmitter();
      const reading = stream.attach({
        take: (chunk) => {
          chunks.push(Buffer.from(chunk));
          heard.emit('something');
          return false;
        },
        end: () => heard.emit('something'),
      });
      // The end may come with the last chunk; there is nothing to ask for then.
      const step = async (): Promise<boolean> => {
        if (stream.ended) return false;
        const something = once(heard, 'something');
        reading.resume();
        await something;
        return !stream.ended;
      };
      peer.end(bytes);
      for (let steps = 1; await step(); steps += 1) {
        await new Promise(setImmediate);
        assert.equal(chunks.length, steps, 'a chunk came without being asked for');
      }
      assert.ok(Buffer.concat(chunks).equals(bytes));
    });

    test('is half-open: after the FIN of its peer it still sends', async (t) => {
      const { stream, peer } = await makePair(t);
      stream.attach(takesAll()).resume();
      peer.end();
      await until(() => stream.ended);
      const ending = readToEnd(peer);
      stream.write(Buffer.from('still here'));
      await new Promise<void>((resolve) => stream.finish(resolve));
      assert.deepEqual(await ending, { bytes: Buffer.from('still here'), how: 'end' });
      await closed(stream);
    });

    test('queues FIN after all that was written', async (t) => {
      const { stream, peer } = await makePair(t);
      const bytes = randomBytes(8 * MIB);
      let flushed = false;
      assert.equal(
        stream.write(bytes, () => (flushed = true)),
        false,
      );
      assert.ok(stream.unsent > 0);
      const finished = new Promise<void>((resolve) => stream.finish(resolve));
      assert.ok((await readToEnd(peer)).bytes.equals(bytes));
      await finished;
      assert.ok(flushed);
      assert.equal(stream.unsent, 0);
    });

    test('a small write is taken at once, without a call back', async (t) => {
      const { stream } = await makePair(t);
      const taken = stream.write(Buffer.from('x'), () => assert.fail('called back'));
      assert.equal(taken, true);
      await new Promise(setImmediate);
    });

    test('resets its peer, with what is unsent', async (t) => {
      const { stream, peer } = await makePair(t);
      stream.write(randomBytes(8 * MIB), () => assert.fail('flushed'));
      stream.reset();
      assert.equal((await readToEnd(peer)).how, 'reset');
      await closed(stream);
    });

    test('may be reset whatever it is doing, and twice', async (t) => {
      for (const prepare of [
        (stream: ByteStream): void => stream.attach(takesAll()).resume(),
        (stream: ByteStream): boolean => stream.finish(),
        (stream: ByteStream): void => {
          stream.write(randomBytes(8 * MIB));
          stream.finish();
        },
      ]) {
        const { stream } = await makePair(t);
        prepare(stream);
        stream.reset();
        stream.reset();
        await closed(stream);
      }
    });

    test('rests when it is resumed after its end', async (t) => {
      const { stream, peer } = await makePair(t);
      const reading = stream.attach({ take: () => false, end: () => {} });
      reading.resume();
      peer.write(randomBytes(64 * 1024));
      await until(() => stream.received > 0);
      stream.close();
      reading.resume();
      await closed(stream);
      const planned = t.mock.method(globalThis, 'setImmediate');
      await delay(20);
      assert.ok(planned.mock.callCount() < 5, `${planned.mock.callCount()} turns of the loop`);
    });

    test('a socket of Node that takes its place sends first what waits', async (t) => {
      const { stream, peer } = await makePair(t);
      const bytes = randomBytes(16 * MIB);
      stream.write(bytes);
      const reading = readToEnd(peer);
      stream.releaseSocket(Buffer.alloc(0)).end('tail');
      assert.ok((await reading).bytes.equals(Buffer.concat([bytes, Buffer.from('tail')])));
    });

    test('calls back for FIN, whoever closes it after that', async (t) => {
      const { stream, peer } = await makePair(t);
      const bytes = randomBytes(16 * MIB);
      stream.write(bytes);
      let queued = false;
      stream.finish(() => (queued = true));
      stream.leave();
      const got = await readToEnd(peer);
      assert.deepEqual([got.how, got.bytes.length], ['end', bytes.length]);
      assert.ok(queued);
    });

    test('keeps the error that it died of', async (t) => {
      const { stream, peer } = await makePair(t);
      stream.attach(takesAll()).resume();
      peer.resetAndDestroy();
      await closed(stream);
      assert.ok(stream.error);
    });

    // libuv takes a reset that is found together with the last bytes for a clean end.
    test('does not take a reset right after bytes for an end', async (t) => {
      const { stream, peer } = await makePair(t);
      const reading = stream.attach(takesAll({ end: () => assert.fail('a clean end') }));
      peer.write('half of it');
      peer.resetAndDestroy();
      await closed(peer);
      reading.resume();
      await closed(stream);
      assert.ok(stream.error);
    });

    test('knows both of its addresses, also after it has closed', async (t) => {
      const { stream, peer } = await makePair(t);
      const ends = { local: stream.local, remote: stream.remote };
      assert.deepEqual(ends.remote, { host: '127.0.0.1', port: peer.localPort });
      assert.deepEqual(ends.local, { host: '127.0.0.1', port: peer.remotePort });
      stream.reset();
      await closed(stream);
      assert.deepEqual({ local: stream.local, remote: stream.remote }, ends);
    });
  });
}

describe('a stream that is being dialled', () => {
  test('reports a refusal as an error and close', async (t) => {
    const { host, port } = await refusingHop(t);
    const stream = TcpStream.dialling(host, port, () => assert.fail('connected'));
    await closed(stream);
    assert.match(String(stream.error), /ECONNREFUSED/);
  });

  test('may be reset before it is connected', async (t) => {
    const { host, port } = await blackHole(t);
    const stream = TcpStream.dialling(host, port, () => assert.fail('connected'));
    stream.reset();
    await closed(stream);
    assert.equal(stream.error, undefined);
  });
});
