import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { socketPump } from '#src/pump/socket-pump.js';
import { type Verdict, readUntil } from '#src/tcp/read-until.js';
import { receive } from '#src/tcp/receive.js';
import { StreamWriter } from '#src/tcp/writer.js';
import { readToEnd } from '../../support/raw.js';
import { acceptedPair, dialledPair } from '../../support/streams.js';
import { tlsPair } from '../../support/tls-pair.js';

const MIB = 1024 * 1024;

test('TLS stands where a TCP connection stands: heads, writes, and a pump on both sides of it', async (t) => {
  const signal = new AbortController().signal;
  const client = await tlsPair(t);
  client.peer.write('question\n');
  const question = await readUntil<string>(client.stream, {
    scan: (bytes): Verdict<string> => (bytes.includes('\n') ? { value: bytes.toString() } : {}),
    timeoutMs: 10_000,
    signal,
    late: () => new Error('late'),
    gone: () => new Error('gone'),
  });
  assert.equal(question, 'question\n');

  const writer = new StreamWriter(client.stream, 10_000, signal);
  await writer.write(Buffer.from('answer\n'));
  writer.release();
  const got = readToEnd(client.peer);

  // As the client of a relay, and as its upstream.
  const [bytes, upstream] = [randomBytes(4 * MIB), await dialledPair(t)];
  upstream.peer.end(bytes);
  const down = socketPump({
    mode: 'reply',
    client: client.stream,
    upstream: upstream.stream,
    fromClient: Buffer.alloc(0),
    fromUpstream: Buffer.alloc(0),
    silenceMs: 10_000,
    stall: 10_000,
    signal,
  });
  assert.deepEqual(await down.result, { toClient: bytes.length, toUpstream: 0, failure: undefined });
  assert.ok((await got).bytes.equals(Buffer.concat([Buffer.from('answer\n'), bytes])));

  const [secret, plain] = [await tlsPair(t), await acceptedPair(t)];
  secret.peer.end(bytes);
  const atClient = readToEnd(plain.peer);
  const up = socketPump({
    mode: 'reply',
    client: plain.stream,
    upstream: secret.stream,
    fromClient: Buffer.alloc(0),
    fromUpstream: Buffer.alloc(0),
    silenceMs: 10_000,
    stall: 10_000,
    signal,
  });
  assert.equal((await up.result).failure, undefined);
  assert.ok((await atClient).bytes.equals(bytes));
});

test('A slow reader gets all bytes in order, also those that come together with the end', async (t) => {
  const { stream, peer } = await tlsPair(t);
  const bytes = randomBytes(MIB);
  const taken: Buffer[] = [];
  const received = receive(stream, {
    take: async (chunk) => {
      // Its memory must stay as it is until the promise resolves.
      await nextTurn();
      taken.push(Buffer.from(chunk));
      return false;
    },
    timeoutMs: 10_000,
    signal: new AbortController().signal,
    late: () => new Error('late'),
    gone: () => new Error('gone'),
    ended: () => undefined,
    end: () => {},
  });
  let size = 1;
  for (let at = 0; at < bytes.length; size = (size * 3) % 50_021) {
    peer.write(bytes.subarray(at, at + size));
    at += size;
  }
  peer.end();
  await received;
  assert.ok(Buffer.concat(taken).equals(bytes));
  assert.ok(taken.length < 500, `${taken.length} chunks`);
});
