import assert from 'node:assert/strict';
import { type TestContext, describe, test } from 'node:test';
import { HEAD_BYTES, TARGET_BYTES } from '#src/wire/http/head.js';
import { MESSAGE_BYTES } from '#src/wire/classic.js';
import { QUIET_AFTER_LINE_MS, QUIET_MS, type SniffResult, sniff } from '#src/node/first-bytes.js';
import { acceptedPair, assertFree, until } from '../../support/streams.js';
import { failureOf } from '../../support/failures.js';

const TIMEOUT_MS = 10_000;
const QUIET = { quietMs: QUIET_MS, quietAfterLineMs: QUIET_AFTER_LINE_MS };

/** A reader on a clock that the test moves, and its client. */
async function reader(t: TestContext, signal = new AbortController().signal) {
  const pair = await acceptedPair(t);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const message = sniff(pair.stream, Buffer.alloc(0), TIMEOUT_MS, QUIET, signal);
  message.catch(() => {});
  /** Sends, and waits until it has been read. */
  const send = async (text: string | Buffer): Promise<void> => {
    const goal = pair.stream.received + Buffer.byteLength(text);
    pair.peer.write(text);
    await until(() => pair.stream.received >= goal);
  };
  return { ...pair, message, send, tick: (ms: number) => t.mock.timers.tick(ms) };
}

/** Whether the message is whole by now. */
async function isWhole(message: Promise<SniffResult>): Promise<boolean> {
  const open = Symbol('open');
  return (await Promise.race([message, Promise.resolve(open)])) !== open;
}

function texts(first: SniffResult): [string, string] {
  assert.equal(first.dialect, 'classic');
  return [first.message.toString(), first.rest.toString()];
}

describe('a message ends', () => {
  test('with an empty line, at once', async (t) => {
    const { peer, stream, message } = await reader(t);
    peer.write('file\nh 1\n\nrest');
    assert.deepEqual(texts(await message), ['file\nh 1\n', 'rest']);
    assertFree(stream);
  });

  test('with an empty line that comes byte for byte', async (t) => {
    const { message, send } = await reader(t);
    for (const byte of 'file\r\nh 1\r\n\r\n') await send(byte);
    assert.deepEqual(texts(await message), ['file\r\nh 1\r\n', '']);
  });

  test('with FIN, at once, with and without a line end', async (t) => {
    for (const text of ['file', 'file\n', 'file\nh 1', '']) {
      const { stream, peer } = await acceptedPair(t);
      peer.end(text);
      const message = await sniff(stream, Buffer.alloc(0), TIMEOUT_MS, QUIET, new AbortController().signal);
      assert.deepEqual(texts(message), [text, '']);
    }
  });

  for (const [text, quietMs] of [
    ['file\n', QUIET_AFTER_LINE_MS],
    ['file', QUIET_MS],
    ['file\nh 1', QUIET_MS],
    ['file\nh 1\n', QUIET_AFTER_LINE_MS],
  ] as const) {
    test(`with ${quietMs} ms of quiet after ${JSON.stringify(text)}`, async (t) => {
      const { message, send, tick } = await reader(t);
      await send(text);
      tick(quietMs - 1);
      assert.equal(await isWhole(message), false);
      tick(1);
      assert.deepEqual(texts(await message), [text, '']);
    });
  }

  test('not while it still comes: each byte starts the quiet anew', async (t) => {
    const { message, send, tick } = await reader(t);
    for (const byte of 'file\nh 1') {
      await send(byte);
      tick(QUIET_AFTER_LINE_MS - 1);
      assert.equal(await isWhole(message), false);
    }
    tick(QUIET_MS);
    assert.deepEqual(texts(await message), ['file\nh 1', '']);
  });

  // The clock of a busy process runs on while what has come is not read yet.
  test('not by quiet in which the process was too busy to read what came', async (t) => {
    const { stream, peer } = await acceptedPair(t);
    const message = sniff(stream, Buffer.alloc(0), TIMEOUT_MS, QUIET, new AbortController().signal);
    peer.write('file\n');
    await until(() => stream.received > 0);
    peer.write('h 1\n\n');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, QUIET_AFTER_LINE_MS + 100);
    assert.deepEqual(texts(await message), ['file\nh 1\n', '']);
  });

  test('at 4,096 bytes and not above', async (t) => {
    const { message, send, tick } = await reader(t);
    await send('x'.repeat(MESSAGE_BYTES));
    tick(QUIET_MS);
    assert.equal(texts(await message)[0].length, MESSAGE_BYTES);
  });

  test('with an empty line within 4,096 bytes, whatever follows', async (t) => {
    const { message, peer } = await reader(t);
    peer.write(`${'x'.repeat(MESSAGE_BYTES - 2)}\n\n${'y'.repeat(MESSAGE_BYTES)}`);
    assert.equal(texts(await message)[0].length, MESSAGE_BYTES - 1);
  });
});

describe('a message fails', () => {
  test('that is too long by its empty line', async (t) => {
    const { message, peer } = await reader(t);
    peer.write(`${'x'.repeat(MESSAGE_BYTES - 1)}\n\n`);
    assert.equal((await failureOf(message)).code, 'MESSAGE_TOO_LONG');
  });

  test('that is too long', async (t) => {
    const { stream, message, send } = await reader(t);
    await send('x'.repeat(MESSAGE_BYTES + 1));
    assert.equal((await failureOf(message)).code, 'MESSAGE_TOO_LONG');
    assertFree(stream);
  });

  test('that never comes', async (t) => {
    const { message, tick } = await reader(t);
    tick(TIMEOUT_MS - 1);
    assert.equal(await isWhole(message), false);
    tick(1);
    const { code, message: text } = await failureOf(message);
    assert.equal(code, 'MESSAGE_TIMEOUT');
    assert.match(text, /within 10 s \(0 bytes had come\)/);
  });

  test('that never ends, at whatever pace it comes', async (t) => {
    const { message, send, tick } = await reader(t);
    for (let passed = 0; passed < TIMEOUT_MS; passed += QUIET_AFTER_LINE_MS - 1) {
      await send('x');
      tick(QUIET_AFTER_LINE_MS - 1);
    }
    assert.equal((await failureOf(message)).code, 'MESSAGE_TIMEOUT');
  });

  test('whose client resets', async (t) => {
    const { message, send, peer } = await reader(t);
    await send('file');
    peer.resetAndDestroy();
    assert.equal((await failureOf(message)).code, 'CLIENT_GONE');
  });

  test('when it is aborted, with the reason', async (t) => {
    const reason = new Error('enough');
    const controller = new AbortController();
    const { message } = await reader(t, controller.signal);
    controller.abort(reason);
    await assert.rejects(message, reason);
    const { stream } = await acceptedPair(t);
    await assert.rejects(sniff(stream, Buffer.alloc(0), TIMEOUT_MS, QUIET, controller.signal), reason);
  });
});

describe('what may become HTTP', () => {
  test('is HTTP with the end of its first line, and keeps what follows', async (t) => {
    const { stream, message, send } = await reader(t);
    const line = 'GET /a HTTP/1.1\r';
    for (const byte of line) await send(byte);
    assert.equal(await isWhole(message), false);
    await send('\nHost');
    assert.deepEqual(await message, { dialect: 'http', bytes: Buffer.from(`${line}\nHost`) });
    assertFree(stream);
  });

  test('is not ended by quiet', async (t) => {
    for (const text of ['G', 'GET ', 'GET /a', 'HEAD /a HTTP/1.1\r']) {
      const { message, send, tick } = await reader(t);
      await send(text);
      tick(TIMEOUT_MS - 1);
      assert.equal(await isWhole(message), false);
      tick(1);
      assert.equal((await failureOf(message)).code, 'MESSAGE_TIMEOUT');
      t.mock.timers.reset();
    }
  });

  // A request in several segments was once reset when its target was longer than a classic message.
  test('may have a first line that is longer than a message, byte for byte', async (t) => {
    const { message, send } = await reader(t);
    const line = `GET /${'x'.repeat(TARGET_BYTES - 1)} HTTP/1.1\r\n`;
    await send(line.slice(0, MESSAGE_BYTES));
    await send(line.slice(MESSAGE_BYTES, MESSAGE_BYTES + 1));
    await send(line.slice(MESSAGE_BYTES + 1));
    assert.deepEqual(await message, { dialect: 'http', bytes: Buffer.from(line) });
  });

  test('is HTTP when its line is longer than any head, and too long a message with FIN', async (t) => {
    const endless = await reader(t);
    await endless.send('GET '.padEnd(HEAD_BYTES + 1, 'x'));
    assert.equal((await endless.message).dialect, 'http');
    t.mock.timers.reset();
    const ended = await reader(t);
    ended.peer.end('GET '.padEnd(MESSAGE_BYTES + 1, 'x'));
    assert.equal((await failureOf(ended.message)).code, 'MESSAGE_TOO_LONG');
  });

  test('is classic with FIN', async (t) => {
    const { message, peer } = await reader(t);
    peer.end('GET it');
    assert.deepEqual(texts(await message), ['GET it', '']);
  });

  test('is classic with a line that is no request line, after quiet', async (t) => {
    const { message, send, tick } = await reader(t);
    await send('GET it\n');
    tick(QUIET_AFTER_LINE_MS);
    assert.deepEqual(texts(await message), ['GET it\n', '']);
  });
});
