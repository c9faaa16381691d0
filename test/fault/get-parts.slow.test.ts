import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { type GetEvent, type GetOptions, type Location, get } from 'viaduct';
import { failureOf } from '../support/failures.js';
import { type Fault, faultProxy } from '../support/fault-proxy.js';
import { testChain, testNode } from '../support/nodes.js';
import { randomFile, tempFolder } from '../support/temp.js';
import { ENCRYPTED, WIRES } from '../support/wires.js';

const MIB = 1024 * 1024;
const SIZE = 24 * MIB;
/** So slow that all connections have their turn, so fast that a test is short. */
const SLOW: Fault = { kind: 'slow', size: 64 * 1024, everyMs: 10 };

interface Fetched {
  readonly saved: Buffer;
  readonly received: number;
  readonly events: readonly GetEvent[];
}

async function fetched(t: TestContext, location: Location, options: GetOptions): Promise<Fetched> {
  const target = join(tempFolder(t), 'file');
  const events: GetEvent[] = [];
  const onEvent = (event: GetEvent): void => {
    events.push(event);
    options.onEvent?.(event);
  };
  const { received } = await get(location, target, { ...options, onEvent });
  return { saved: readFileSync(target), received, events };
}

/** An origin, and slow ways to it. */
async function ways(t: TestContext, count: number) {
  const root = tempFolder(t);
  const content = randomFile(root, 'file', SIZE);
  const origin = await testNode(t, { root });
  const relays = await Promise.all(Array.from({ length: count }, () => testNode(t)));
  const locations = await Promise.all(
    relays.map(async ({ hop }) => {
      const proxy = await faultProxy(t, hop, () => SLOW);
      return { route: [proxy.hop, origin.hop], path: '/file' };
    }),
  );
  const [first, ...also] = locations;
  assert.ok(first);
  return { root, content, origin, relays, first, also };
}

for (const wire of WIRES)
  describe(`a file in parts, ${wire.name},`, () => {
    test('is whole, over a chain and several connections', async (t) => {
      const root = tempFolder(t);
      const content = randomFile(root, 'file', SIZE);
      const { nodes, route } = await testChain(t, 3, { root });
      const location = { route, path: '/file' };
      const { saved, received } = await fetched(t, location, { ...wire.options, segments: 4 });
      assert.ok(saved.equals(content));
      assert.equal(received, SIZE);
      const accepted = nodes[0]?.events.filter(({ type }) => type === 'accepted').length ?? 0;
      assert.ok(accepted >= 4, `${accepted} connections`);
    });

    for (const kind of ['reset', 'cut', 'stall'] as const) {
      test(`is whole although connections ${kind}`, async (t) => {
        const root = tempFolder(t);
        const content = randomFile(root, 'file', SIZE);
        const { hop } = await testNode(t, { root });
        let connections = 0;
        const proxy = await faultProxy(t, hop, () => {
          connections += 1;
          return connections % 2 === 0 && connections < 8 ? { kind, at: MIB } : SLOW;
        });
        const location = { route: [proxy.hop], path: '/file' };
        const { saved } = await fetched(t, location, { ...wire.options, segments: 3, timeoutMs: 500 });
        assert.ok(saved.equals(content));
        // Not how many connections: the others may have fetched what was missing before there is another.
        assert.ok(proxy.kinds.has(kind), 'no connection broke');
      });
    }

    test('goes on after an abort with what is missing', async (t) => {
      const root = tempFolder(t);
      const content = randomFile(root, 'file', SIZE);
      const { hop } = await testNode(t, { root });
      const proxy = await faultProxy(t, hop, () => SLOW);
      const location = { route: [proxy.hop], path: '/file' };
      const target = join(tempFolder(t), 'file');
      const stop = new AbortController();
      const options = { ...wire.options, segments: 3 };
      const onEvent = (event: GetEvent): void => {
        if (event.type === 'progress' && event.bytes > SIZE / 2) stop.abort(new Error('enough'));
      };
      await assert.rejects(get(location, target, { ...options, onEvent, signal: stop.signal }), /enough/);
      const { received } = await get(location, target, options);
      assert.ok(readFileSync(target).equals(content));
      assert.ok(received < SIZE / 2 + 2 * MIB, `${received} bytes again`);
    });

    test('that changes meanwhile is the new one, or the old one', async (t) => {
      const root = tempFolder(t);
      const before = randomFile(root, 'file', SIZE);
      const { hop } = await testNode(t, { root });
      const proxy = await faultProxy(t, hop, () => SLOW);
      const after = Buffer.alloc(SIZE, 'new');
      let changed = false;
      const onEvent = (event: GetEvent): void => {
        if (changed || event.type !== 'progress' || event.bytes < SIZE / 2) return;
        changed = true;
        writeFileSync(join(root, 'file'), after);
      };
      const location = { route: [proxy.hop], path: '/file' };
      const { saved } = await fetched(t, location, { ...wire.options, segments: 3, onEvent });
      assert.ok(saved.equals(after) || saved.equals(before));
    });
  });

describe('a file over several routes', () => {
  test('comes over all of them', async (t) => {
    const { content, relays, first, also } = await ways(t, 3);
    const { saved, events } = await fetched(t, first, { ...ENCRYPTED.options, also });
    assert.ok(saved.equals(content));
    for (const { events: seen } of relays) assert.ok(seen.some(({ type }) => type === 'dialled'));
    const last = events.findLast((event) => event.type === 'routes') ?? assert.fail();
    assert.deepEqual(
      last.routes.map(({ bytes }) => bytes > MIB),
      [true, true, true],
    );
  });

  for (const dying of [0, 1]) {
    test(`is whole when ${dying === 0 ? 'the first' : 'another'} of them dies in the middle`, async (t) => {
      const { content, relays, first, also } = await ways(t, 2);
      let closing: Promise<void> | undefined;
      const onEvent = (event: GetEvent): void => {
        if (event.type === 'progress' && event.bytes > SIZE / 2) closing ??= relays[dying]?.close(0);
      };
      const { saved, received, events } = await fetched(t, first, { ...ENCRYPTED.options, also, onEvent });
      assert.ok(saved.equals(content));
      assert.ok(received <= SIZE + 2 * MIB, `${received} bytes`);
      await closing;
      const failed = events.filter(({ type }) => type === 'route-failed');
      if (dying === 0) assert.ok(failed.length >= 1);
    });
  }

  test('one of which is dead from the beginning', async (t) => {
    const { content, first, also } = await ways(t, 2);
    const dead = { route: [{ host: '127.0.0.1', port: 1 }], path: '/file' };
    for (const [location, others] of [
      [first, [dead, ...also]],
      [dead, [first, ...also]],
    ] as const) {
      const { saved } = await fetched(t, location, { ...ENCRYPTED.options, also: others });
      assert.ok(saved.equals(content));
    }
  });

  test('that are all dead: one error with the reason of each', async (t) => {
    const [one, two] = [1, 2].map((port) => ({ route: [{ host: '127.0.0.1', port }], path: '/file' }));
    assert.ok(one && two);
    const error = await failureOf(
      get(one, join(tempFolder(t), 'file'), { ...ENCRYPTED.options, also: [two], retries: 0 }),
    );
    assert.equal(error.code, 'REFUSED');
    assert.match(
      error.message,
      /^no route works: http:\/\/127\.0\.0\.1:1\/file: hop 1 \(127\.0\.0\.1:1\) refused .*; http:\/\/127\.0\.0\.1:2\/file: hop 1 .*refused/,
    );
  });

  test('another origin has to have the same bytes', async (t) => {
    const { content, first } = await ways(t, 1);
    for (const [bytes, isSame] of [
      [content, true],
      [Buffer.alloc(SIZE), false],
      [content.subarray(1), false],
    ] as const) {
      const root = tempFolder(t);
      writeFileSync(join(root, 'file'), bytes);
      const other = await testNode(t, { root });
      const also = [{ route: [other.hop], path: '/file' }];
      const { saved, events } = await fetched(t, first, { ...ENCRYPTED.options, also });
      assert.ok(saved.equals(content));
      const failed = events.filter((event) => event.type === 'route-failed');
      assert.deepEqual(
        failed.map(({ error }) => error.code),
        isSame ? [] : ['CHANGED'],
      );
    }
  });
});
