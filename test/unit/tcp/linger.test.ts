import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { LINGER_BYTES, LINGER_MS, lingeringClose } from '#src/tcp/linger.js';
import { type Pair, acceptedPair, closed } from '../../support/channels.js';
import { readToEnd } from '../../support/raw.js';

/** A channel whose FIN is queued, lingering. */
async function lingering(
  t: TestContext,
  signal = new AbortController().signal,
): Promise<Pair & { done: Promise<void> }> {
  const pair = await acceptedPair(t);
  await new Promise<void>((resolve) => pair.channel.finish(resolve));
  return { ...pair, done: lingeringClose(pair.channel, signal) };
}

test('it drops late input until the FIN of the peer', async (t) => {
  const { channel, peer, done } = await lingering(t);
  const ending = readToEnd(peer);
  peer.write('late input');
  await once(channel.socket, 'data');
  assert.equal(channel.socket.destroyed, false);
  peer.end();
  await done;
  assert.equal(channel.socket.destroyed, true);
  assert.deepEqual(await ending, { bytes: Buffer.alloc(0), how: 'end' });
});

// Closing at once resets the connection, and a slow client lost what was still on its way to it.
test('a slow reader that still sends gets every byte', async (t) => {
  const { channel, peer } = await acceptedPair(t);
  const bytes = Buffer.alloc(3_000_000, 'x');
  channel.write(bytes, () => {});
  const queued = new Promise<void>((resolve) => channel.finish(resolve));
  // So many bytes that the kernel takes the last of them only while the peer reads.
  const ending = readToEnd(peer);
  await queued;
  peer.pause();
  peer.write('input that nobody wants');
  const done = lingeringClose(channel, new AbortController().signal);
  await once(channel.socket, 'data');
  assert.equal(channel.socket.destroyed, false);
  peer.resume();
  const { bytes: got, how } = await ending;
  assert.deepEqual([got.length, how], [bytes.length, 'end']);
  peer.end();
  await done;
});

test('it ends when the peer sends too much', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] }); // So that it cannot end because it takes too long.
  const { channel, peer, done } = await lingering(t);
  peer.resume().write(Buffer.alloc(4 * LINGER_BYTES));
  await done;
  assert.ok(channel.received > LINGER_BYTES, `${channel.received} bytes were read`);
});

test('it does not end when the peer sends just as much as it may', async (t) => {
  const { channel, peer, done } = await lingering(t);
  peer.resume().write(Buffer.alloc(LINGER_BYTES));
  while (channel.received < LINGER_BYTES) await once(channel.socket, 'data');
  assert.equal(channel.socket.destroyed, false);
  peer.end();
  await done;
});

test('it ends when the peer takes too long', async (t) => {
  const pair = await acceptedPair(t);
  await new Promise<void>((resolve) => pair.channel.finish(resolve));
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const done = lingeringClose(pair.channel, new AbortController().signal);
  t.mock.timers.tick(LINGER_MS - 1);
  assert.equal(pair.channel.socket.destroyed, false);
  t.mock.timers.tick(1);
  assert.equal(pair.channel.socket.destroyed, true);
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
  const { channel, peer } = await acceptedPair(t);
  channel.resume();
  peer.end();
  await once(channel.socket, 'end');
  await new Promise<void>((resolve) => channel.finish(resolve));
  await lingeringClose(channel, new AbortController().signal);
  await closed(channel.socket);
});

test('it ends at once where the socket is gone', async (t) => {
  const { channel } = await acceptedPair(t);
  channel.reset();
  await lingeringClose(channel, new AbortController().signal);
});
