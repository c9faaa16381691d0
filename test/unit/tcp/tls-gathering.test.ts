import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import { ViaductError } from 'viaduct';
import { type Verdict, readUntil } from '#src/tcp/read-until.js';
import { receive } from '#src/tcp/receive.js';
import { EarlyTls } from '#src/tls/connect.js';
import { IDENTITY } from '../../support/identity.js';
import { dialledPair, until } from '../../support/streams.js';
import { tlsPair } from '../../support/tls-pair.js';

// Records that are decrypted in one turn are gathered. Nothing of them may be late or lost for that.

const LIMITS = {
  timeoutMs: 10_000,
  signal: new AbortController().signal,
  late: () => new Error('late'),
  gone: () => new Error('gone'),
};

const scan = (bytes: Buffer): Verdict<string> => (bytes.includes('\n') ? { value: bytes.toString() } : {});

test('a fast reader gets several records as one chunk', async (t) => {
  const { stream, peer } = await tlsPair(t);
  const bytes = randomBytes(8 * 1024 * 1024);
  const taken: Buffer[] = [];
  const received = receive(stream, {
    ...LIMITS,
    take: async (chunk) => {
      taken.push(Buffer.from(chunk));
      return false;
    },
    ended: () => undefined,
    end: () => {},
  });
  peer.end(bytes);
  await received;
  assert.ok(Buffer.concat(taken).equals(bytes));
  const records = bytes.length / (16 * 1024);
  assert.ok(taken.length < records / 2, `${taken.length} chunks of ${records} records`);
});

test('what came before a reset is delivered, however slow the reader is', async (t) => {
  const TOTAL = 24_000;
  const { stream: carrier, peer: raw } = await dialledPair(t);
  const tls = new TLSSocket(raw, { isServer: true, ...IDENTITY }).on('error', () => {});
  const served = once(tls, 'secure');
  const early = new EarlyTls({});
  const hello = await early.hello;
  carrier.write(hello);
  const { stream } = await early.finish(carrier, Buffer.alloc(0), {
    limitMs: 10_000,
    signal: LIMITS.signal,
    late: () => new ViaductError('TIMEOUT', 'late'),
    failed: (why) => new ViaductError('TLS_FAILED', why),
  });
  t.after(() => stream.reset());
  await served;
  let taken = 0;
  const received = receive(stream, {
    ...LIMITS,
    take: async (chunk) => {
      await until(() => stream.closed);
      taken += chunk.length;
      return taken === TOTAL;
    },
    ended: () => new Error('short'),
    end: () => {},
  });
  // In one write, so that the reset comes right behind the last record.
  tls.cork();
  for (let part = 0; part < 12; part += 1) tls.write(Buffer.alloc(TOTAL / 12));
  tls.uncork();
  await nextTurn();
  raw.resetAndDestroy();
  await received;
  assert.equal(taken, TOTAL);
});

test('what came in time counts, also if the process was busy until after the limit', async (t) => {
  const { stream, peer } = await tlsPair(t);
  const reading = readUntil<string>(stream, { ...LIMITS, timeoutMs: 1000, scan });
  await nextTurn();
  peer.write('head\n');
  const end = performance.now() + 1200;
  while (performance.now() < end);
  assert.equal(await reading, 'head\n');
});
