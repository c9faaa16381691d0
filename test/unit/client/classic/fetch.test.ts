import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type HostHop, type FetchEvent, ViaductError, fetchFile } from 'viaduct';
import { blackHole, refusingHop } from '../../../support/black-hole.js';
import { failureOf } from '../../../support/failures.js';
import { fetchBytes } from '../../../support/fetch.js';
import { watchDescriptors } from '../../../support/leaks.js';
import { rawOrigin } from '../../../support/origins.js';
import { lonelyServer, readToEnd } from '../../../support/raw.js';

const MIB = 1024 * 1024;
/** Short, but far more than loopback needs on a busy machine. */
const LIMIT_MS = 300;
const ignore = async (): Promise<void> => {};

describe('a transfer', () => {
  for (const size of [0, 1, 65_536, 3 * MIB + 1]) {
    test(`of ${size} bytes arrives as it is`, async (t) => {
      const bytes = randomBytes(size);
      const { name, route } = await rawOrigin(t, (socket) => socket.end(bytes));
      assert.ok((await fetchBytes(name, route)).equals(bytes));
    });
  }

  test('asks with what is left of the route, and an empty line', async (t) => {
    const { name, route, messages } = await rawOrigin(t, (socket) => socket.end());
    await fetchBytes(name, [...route, { host: 'h2', port: 11_000 }, { host: '::3', port: 1 }]);
    assert.deepEqual(messages, ['folder/file\nh2 11000\n::3 1\n\n']);
  });

  test('sends no FIN before the reply has ended', async (t) => {
    let ended = false;
    const { name, route } = await rawOrigin(t, (socket) => {
      socket.once('end', () => (ended = true));
      setImmediate(() => {
        assert.equal(ended, false);
        socket.end('x');
      });
    });
    assert.equal((await fetchBytes(name, route)).toString(), 'x');
  });

  test('tells its progress after each chunk that the sink has taken', async (t) => {
    const source = await rawOrigin(t, (socket) => socket.end(Buffer.alloc(2 * MIB)));
    const told: FetchEvent[] = [];
    let taken = 0;
    const result = await fetchFile(source, async (chunk) => void (taken += chunk.length), {
      onEvent: (progress) => {
        assert.equal(progress.bytes, taken);
        told.push(progress);
      },
    });
    assert.equal(result.bytes, 2 * MIB);
    assert.equal(told.at(-1)?.bytes, 2 * MIB);
  });

  test('hands out one chunk at a time, and leaves it alone until the sink is done', async (t) => {
    const bytes = randomBytes(2 * MIB);
    const source = await rawOrigin(t, (socket) => socket.end(bytes));
    let busy = false;
    let at = 0;
    await fetchFile(source, async (chunk) => {
      assert.equal(busy, false);
      busy = true;
      for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
      assert.ok(chunk.equals(bytes.subarray(at, at + chunk.length)));
      at += chunk.length;
      busy = false;
    });
    assert.equal(at, bytes.length);
  });

  // A Node timer takes a time that it cannot hold for 1 ms.
  test('may take for ever', async (t) => {
    const { name, route } = await rawOrigin(t, (socket) => socket.end('x'));
    const fetching = fetchBytes(name, route, { timeoutMs: Infinity, connectTimeoutMs: Infinity });
    // Longer than that: its timer would be first.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    assert.equal((await fetching).toString(), 'x');
  });

  test('waits for the sink before it counts silence', async (t) => {
    const source = await rawOrigin(t, (socket) => socket.end('x'));
    assert.equal((await fetchFile(source, () => delay(3 * LIMIT_MS), { timeoutMs: LIMIT_MS })).bytes, 1);
  });
});

describe('what is refused before anything is dialled', () => {
  for (const [what, name, hops, code] of [
    ['a route without hops', 'file', 0, 'BAD_ROUTE'],
    ['17 hops', 'file', 17, 'TOO_MANY_HOPS'],
    ['a message that is too long', 'x'.repeat(5000), 1, 'MESSAGE_TOO_LONG'],
    ['a name with a line break', 'file\nevil 80', 1, 'BAD_ROUTE'],
    ['no name', '', 1, 'BAD_ROUTE'],
  ] as const) {
    test(what, async (t) => {
      const { hop, assertNotDialled } = await lonelyServer(t);
      const route = Array.from({ length: hops }, (): HostHop => hop);
      assert.equal((await failureOf(fetchFile({ name, route }, ignore))).code, code);
      await assertNotDialled();
    });
  }
});

describe('a failure', () => {
  test('of the look-up and of the dial names hop 1', async (t) => {
    const hop = await refusingHop(t);
    const refused = await failureOf(fetchFile({ name: 'f', route: [hop] }, ignore));
    assert.equal(refused.code, 'REFUSED');
    assert.match(refused.message, new RegExp(`^hop 1 \\(127\\.0\\.0\\.1:${hop.port}\\) refused`));
    const hole = await blackHole(t);
    const late = await failureOf(fetchFile({ name: 'f', route: [hole] }, ignore, { connectTimeoutMs: 50 }));
    assert.equal(late.code, 'CONNECT_TIMEOUT');
  });

  test('silence says how long, and how many bytes had come', async (t) => {
    const source = await rawOrigin(t, (socket) => socket.write('12345'));
    const error = await failureOf(fetchFile(source, ignore, { timeoutMs: LIMIT_MS }));
    assert.equal(error.code, 'TIMEOUT');
    assert.match(error.message, /^timeout: no data for 0\.3 s from hop 1 .*, after 5 bytes$/);
  });

  test('a reset is no end, even right after the last byte', async (t) => {
    for (const bytes of ['', 'half']) {
      const source = await rawOrigin(t, (socket) => {
        socket.write(bytes, () => socket.resetAndDestroy());
      });
      const error = await failureOf(fetchFile(source, ignore));
      assert.equal(error.code, 'CUT_SHORT');
      assert.match(error.message, /reset the connection after \d bytes/);
    }
  });

  test('of the sink is thrown as it is, and the origin is told by a reset', async (t) => {
    const ends: Promise<string>[] = [];
    const source = await rawOrigin(t, (socket: Socket) => {
      ends.push(readToEnd(socket).then(({ how }) => how));
      socket.write(Buffer.alloc(MIB));
    });
    const broken = new ViaductError('WRITE_FAILED', 'no space');
    assert.equal(await failureOf(fetchFile(source, () => Promise.reject(broken))), broken);
    assert.deepEqual(await Promise.all(ends), ['reset']);
  });

  test('nothing stays open', async (t) => {
    const source = await rawOrigin(t, (socket) => socket.resetAndDestroy());
    const nothingMore = watchDescriptors();
    await failureOf(fetchFile(source, ignore));
    await nothingMore();
  });
});

describe('an abort', () => {
  const reason = new ViaductError('ABORTED', 'enough');

  test('before the call dials nobody', async (t) => {
    const { hop, assertNotDialled } = await lonelyServer(t);
    const signal = AbortSignal.abort(reason);
    assert.equal(await failureOf(fetchFile({ name: 'f', route: [hop] }, ignore, { signal })), reason);
    await assertNotDialled();
  });

  test('while it dials', async (t) => {
    const hole = await blackHole(t);
    const controller = new AbortController();
    const fetching = failureOf(
      fetchFile({ name: 'f', route: [hole] }, ignore, { signal: controller.signal }),
    );
    setImmediate(() => controller.abort(reason));
    assert.equal(await fetching, reason);
  });

  test('in the middle resets the connection', async (t) => {
    const controller = new AbortController();
    const ends: Promise<string>[] = [];
    const source = await rawOrigin(t, (socket) => {
      ends.push(readToEnd(socket).then(({ how }) => how));
      socket.write('half');
    });
    const sink = async (): Promise<void> => controller.abort(reason);
    assert.equal(await failureOf(fetchFile(source, sink, { signal: controller.signal })), reason);
    assert.deepEqual(await Promise.all(ends), ['reset']);
  });
});
