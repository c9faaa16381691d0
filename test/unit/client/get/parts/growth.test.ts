import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { grow } from '#src/client/get/parts/growth.js';

/** Runs it on a line that brings so many bytes a second with so many connections; what it tries within a minute, unless told. */
async function triedOn(
  t: TestContext,
  rateWith: (connections: number, atMs: number) => number,
  endMs = 60_000,
): Promise<readonly number[]> {
  let now = 0;
  let [connections, bytes] = [1, 0];
  const tried: number[] = [];
  t.mock.method(performance, 'now', () => now);
  const wait = async (ms: number): Promise<void> => {
    if (now + ms > endMs) throw new Error('it is over');
    now += ms;
    bytes += (rateWith(connections, now) * ms) / 1000;
  };
  await assert.rejects(
    grow({
      bytes: () => bytes,
      setConnections: async (count) => {
        connections = count;
        tried.push(count);
      },
      roundTripMs: 50,
      wait,
    }),
    /it is over/,
  );
  return tried;
}

test('on a clean line a few connections are tried now and then, and no more', async (t) => {
  const tried = await triedOn(t, () => 10_000_000);
  assert.deepEqual(new Set(tried), new Set([1, 4]));
  assert.ok(tried.length >= 2 && tried.length <= 6, tried.join());
});

test('on a line where each connection has its own share, all are opened', async (t) => {
  assert.deepEqual(await triedOn(t, (connections) => 500_000 * connections), [4, 8, 16]);
});

test('it stays with the last number that has paid', async (t) => {
  const tried = await triedOn(t, (connections) => 1_000_000 * Math.min(connections, 8));
  assert.deepEqual(tried.slice(0, 4), [4, 8, 16, 8]);
});

test('nothing is opened where nothing comes', async (t) => {
  assert.deepEqual(await triedOn(t, () => 0), []);
});

test('nothing is opened where the processor is the limit', async (t) => {
  assert.deepEqual(await triedOn(t, () => 500_000_000), []);
});

test('what pays at once is not waited for: 16 connections are open after three seconds', async (t) => {
  assert.deepEqual(await triedOn(t, (connections) => 500_000 * connections, 3000), [4, 8, 16]);
});

/** The first connection loses no packet for three seconds. */
function laterLosses(connections: number, atMs: number): number {
  return atMs < 3000 ? 10_000_000 : 500_000 * connections;
}

test('it tries again soon where the line gets slower', async (t) => {
  assert.deepEqual(await triedOn(t, laterLosses, 10_000), [4, 1, 4, 8, 4, 8, 16]);
});

/** The first connection gets slower for ten seconds, until it has the share that further ones have at once. */
function slowerAndSlower(connections: number, atMs: number): number {
  return 500_000 * connections + Math.max(0, 5_000_000 * (1 - atMs / 10_000));
}

test('connections that only make up for what the first one loses are kept', async (t) => {
  assert.deepEqual(await triedOn(t, slowerAndSlower, 12_000), [4, 1, 4, 8, 16]);
});
