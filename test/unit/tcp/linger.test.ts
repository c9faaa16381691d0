import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { LINGER_BYTES, LINGER_MS, lingeringClose } from '#src/tcp/linger.js';
import { type Pair, acceptedPair, closed, takesAll, until } from '../../support/streams.js';
import { readToEnd } from '../../support/raw.js';

/** A stream whose FIN is queued, lingering. */
async function lingering(
  t: TestContext,
  signal = new AbortController().signal,
): Promise<Pair & { done: Promise<void> }> {
  const pair = await acceptedPair(t);
  await new Promise<void>((resolve) => pair.stream.finish(resolve));
  return { ...pair, done: lingeringClose(pair.stream, signal) };
}

test('it drops late input until the FIN of the peer', async (t) => {
  const { stream, peer, done } = await lingering(t);
  const ending = readToEnd(peer);
  peer.write('late input');
  await until(() => stream.received > 0);
  assert.equal(stream.closed, false);
  peer.end();
  await done;
  assert.equal(stream.closed, true);
  assert.deepEqual(await ending, { bytes: Buffer.alloc(0), how: 'end' });
});

// Closing at once resets the connection, and a slow client lost what was still on its way to it.
test('a slow reader that still sends gets every byte', async (t) => {
  const { stream, peer } = await acceptedPair(t);
  const bytes = Buffer.alloc(3_000_000, 'x');
  stream.write(bytes, () => {});
  const queued = new Promise<void>((resolve) => stream.finish(resolve));
  // So many bytes that the kernel takes the last of them only while the peer reads.
  const ending = readToEnd(peer);
  await queued;
  peer.pause();
  peer.write('input that nobody wants');
  const done = lingeringClose(stream, new AbortController().signal);
  await until(() => stream.received > 0);
  assert.equal(stream.closed, false);
  peer.resume();
  const { bytes: got, how } = await ending;
  assert.deepEqual([got.length, how], [bytes.length, 'end']);
  peer.end();
  await done;
});

test('it ends when the peer sends too much', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] }); // So that it cannot end because it takes too long.
  const { stream, peer, done } = await lingering(t);
  peer.resume().write(Buffer.alloc(4 * LINGER_BYTES));
  await done;
  assert.ok(stream.received > LINGER_BYTES, `${stream.received} bytes were read`);
});

test('it does not end when the peer sends just as much as it may', async (t) => {
  const { stream, peer, done } = await lingering(t);
  peer.resume().write(Buffer.alloc(LINGER_BYTES));
  await until(() => stream.received === LINGER_BYTES);
  assert.equal(stream.closed, false);
  peer.end();
  await done;
});

test('it ends when the peer takes too long', async (t) => {
  const pair = await acceptedPair(t);
  await new Promise<void>((resolve) => pair.stream.finish(resolve));
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const done = lingeringClose(pair.stream, new AbortController().signal);
  t.mock.timers.tick(LINGER_MS - 1);
  assert.equal(pair.stream.closed, false);
  t.mock.timers.tick(1);
  assert.equal(pair.stream.closed, true);
  await done;
});

test('it ends when the signal does', async (t) => {
  const controller = new AbortController();
  const { done } = await lingering(t, controller.signal);
  controller.abort();
  await done;
});

test('it ends at once after an abort', async (t) => {
  const { done } = await lingering(t, AbortSignal.abort());
  await done;
});

test('it ends when the peer resets', async (t) => {
  const { peer, done } = await lingering(t);
  peer.resetAndDestroy();
  await done;
});

test('it ends at once where the peer had sent its FIN before', async (t) => {
  const { stream, peer } = await acceptedPair(t);
  const reading = stream.attach(takesAll());
  reading.resume();
  peer.end();
  await until(() => stream.ended);
  reading.detach();
  await new Promise<void>((resolve) => stream.finish(resolve));
  await lingeringClose(stream, new AbortController().signal);
  await closed(stream);
});

test('it ends at once where the socket is gone', async (t) => {
  const { stream } = await acceptedPair(t);
  stream.reset();
  await lingeringClose(stream, new AbortController().signal);
});
