import assert from 'node:assert/strict';
import { appendFileSync, closeSync, ftruncateSync, openSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { ViaductError } from 'viaduct';
import type { ByteStream } from '#src/tcp/byte-stream.js';
import { StreamWriter } from '#src/tcp/writer.js';
import { sendFileBytes } from '#src/node/origin/file-sender.js';
import { Root } from '#src/node/origin/root.js';
import { acceptedPair, takesAll } from '../../../support/streams.js';
import { failureOf } from '../../../support/failures.js';
import { watchDescriptors } from '../../../support/leaks.js';
import { readToEnd } from '../../../support/raw.js';
import { randomFile, tempFolder } from '../../../support/temp.js';

const MIB = 1024 * 1024;
const NEVER_MS = 30_000;

class CountingWriter extends StreamWriter {
  readonly #counts: number[];

  constructor(stream: ByteStream, stallMs: number, signal: AbortSignal, counts: number[]) {
    super(stream, stallMs, signal);
    this.#counts = counts;
  }

  override async write(chunk: Uint8Array): Promise<void> {
    await super.write(chunk);
    this.#counts.push(this.sent);
  }
}

/** A file that is open for sending, and a client. */
async function prepare(t: TestContext, size: number) {
  const folder = tempFolder(t);
  const bytes = randomFile(folder, 'file', size);
  const root = await Root.at(folder, false);
  const file = await root.openFile('file');
  const pair = await acceptedPair(t);
  t.after(() => file.handle.close());
  /** Bytes sent so far, after each write. */
  const counts: number[] = [];
  /** Sends it, or a part of it, and then FIN. */
  const send = async (
    stallMs = NEVER_MS,
    signal = new AbortController().signal,
    part = { start: 0, length: file.size },
  ): Promise<void> => {
    const writer = new CountingWriter(pair.stream, stallMs, signal, counts);
    try {
      await sendFileBytes({ handle: file.handle, ...part }, writer);
      await writer.finish();
    } finally {
      writer.release();
    }
  };
  return { ...pair, bytes, path: join(folder, 'file'), counts, send };
}

for (const size of [0, 1, 262_143, 262_144, 262_145, 3 * MIB + 7]) {
  test(`a file of ${size} bytes arrives as it is, then FIN`, async (t) => {
    const { peer, bytes, counts, send } = await prepare(t, size);
    const ending = readToEnd(peer);
    await send();
    const got = await ending;
    assert.equal(got.how, 'end');
    assert.ok(got.bytes.equals(bytes));
    assert.deepEqual(
      counts,
      counts.toSorted((a, b) => a - b),
    );
    assert.equal(counts.at(-1) ?? 0, size);
  });
}

for (const [start, length] of [
  [0, 1],
  [MIB - 1, 1],
  [1, 262_144],
  [262_143, 524_290],
  [MIB, 0],
] as const) {
  test(`${length} bytes from ${start} on arrive, and no others`, async (t) => {
    const { peer, bytes, counts, send } = await prepare(t, MIB);
    const ending = readToEnd(peer);
    await send(NEVER_MS, new AbortController().signal, { start, length });
    const got = await ending;
    assert.equal(got.how, 'end');
    assert.ok(got.bytes.equals(bytes.subarray(start, start + length)));
    assert.equal(counts.at(-1) ?? 0, length);
  });
}

describe('a file that changes', () => {
  test('one that has grown is sent as long as it was', async (t) => {
    const { peer, bytes, path, send } = await prepare(t, MIB);
    appendFileSync(path, 'more');
    const ending = readToEnd(peer);
    await send();
    const got = await ending;
    assert.ok(got.bytes.equals(bytes));
    assert.equal(got.how, 'end');
  });

  test('one that grows while it is sent, too', async (t) => {
    const { stream, peer, bytes, path, send } = await prepare(t, 8 * MIB);
    const sending = send();
    while (stream.unsent === 0) await new Promise(setImmediate);
    appendFileSync(path, 'more');
    const got = await readToEnd(peer);
    await sending;
    assert.ok(got.bytes.equals(bytes));
  });

  test('one that has shrunk is a failure', async (t) => {
    const { path, send } = await prepare(t, MIB);
    truncateSync(path, 1000);
    const error = await failureOf(send());
    assert.equal(error.code, 'READ_FAILED');
    assert.match(error.message, /shrank to 1000 bytes/);
  });

  test('one that shrinks while it is sent is a failure', async (t) => {
    const { stream, peer, path, send } = await prepare(t, 16 * MIB);
    const sending = failureOf(send());
    while (stream.unsent === 0) await new Promise(setImmediate);
    const fd = openSync(path, 'r+');
    ftruncateSync(fd, 0);
    closeSync(fd);
    peer.resume();
    const { code } = await sending;
    assert.equal(code, 'READ_FAILED');
    assert.equal(peer.readableEnded, false);
  });

  test('one that is empty by now is a failure', async (t) => {
    const { path, send } = await prepare(t, 1);
    truncateSync(path, 0);
    assert.equal((await failureOf(send())).code, 'READ_FAILED');
  });
});

describe('a client that does not take it', () => {
  test('it leaves', async (t) => {
    const { stream, peer, counts, send } = await prepare(t, 32 * MIB);
    stream.attach(takesAll()).resume();
    const sending = failureOf(send());
    while (stream.unsent === 0) await new Promise(setImmediate);
    peer.resetAndDestroy();
    assert.equal((await sending).code, 'CLIENT_GONE');
    assert.ok((counts.at(-1) ?? 0) < 32 * MIB);
  });

  test('it had left before', async (t) => {
    const { stream, send } = await prepare(t, MIB);
    stream.reset();
    assert.equal((await failureOf(send())).code, 'CLIENT_GONE');
  });

  test('it takes nothing for too long', async (t) => {
    const { send } = await prepare(t, 32 * MIB);
    const error = await failureOf(send(100));
    assert.equal(error.code, 'STALLED');
    assert.match(error.message, /took nothing for 0\.1 s/);
  });

  test('the node stops', async (t) => {
    const { stream, send } = await prepare(t, 32 * MIB);
    const controller = new AbortController();
    const reason = new ViaductError('ABORTED', 'the node was stopped');
    const sending = failureOf(send(NEVER_MS, controller.signal));
    while (stream.unsent === 0) await new Promise(setImmediate);
    controller.abort(reason);
    assert.equal(await sending, reason);
  });

  test('the node had stopped before, and nothing stays open', async (t) => {
    const { send, stream } = await prepare(t, MIB);
    const nothingMore = watchDescriptors();
    const reason = new ViaductError('ABORTED', 'the node was stopped');
    assert.equal(await failureOf(send(NEVER_MS, AbortSignal.abort(reason))), reason);
    stream.reset();
    await nothingMore();
  });
});
