import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type Socket, connect as connectRaw, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { TLSSocket, connect } from 'node:tls';
import { ViaductError } from 'viaduct';
import { type Verdict, readUntil } from '#src/tcp/read-until.js';
import { receive } from '#src/tcp/receive.js';
import { TcpStream } from '#src/tcp/stream.js';
import { EarlyTls } from '#src/tls/connect.js';
import { until } from '../../support/streams.js';
import { IDENTITY } from '../../support/identity.js';

// Records that are decrypted in one turn are gathered. Nothing of them may be late or lost for that.

const LIMITS = {
  timeoutMs: 10_000,
  signal: new AbortController().signal,
  late: () => new Error('late'),
  gone: () => new Error('gone'),
};

const scan = (bytes: Buffer): Verdict<string> => (bytes.includes('\n') ? { value: bytes.toString() } : {});

async function listening(t: TestContext) {
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const accepted = once(server, 'connection').then(([socket]: Socket[]) => socket as Socket);
  return { port: address.port, accepted };
}

test('what came before a reset is delivered, however slow the reader is', async (t) => {
  const TOTAL = 24_000;
  const { port, accepted } = await listening(t);
  const served = (async () => {
    const raw = (await accepted).on('error', () => {});
    const tls = new TLSSocket(raw, { isServer: true, ...IDENTITY }).on('error', () => {});
    await once(tls, 'secure');
    return { raw, tls };
  })();
  const early = new EarlyTls({});
  const hello = await early.hello;
  const carrier = await new Promise<TcpStream>((resolve) => {
    TcpStream.dialling('127.0.0.1', port, resolve);
  });
  carrier.write(hello);
  const { stream } = await early.finish(carrier, Buffer.alloc(0), {
    limitMs: 10_000,
    signal: LIMITS.signal,
    late: () => new ViaductError('TIMEOUT', 'late'),
    failed: (why) => new ViaductError('TLS_FAILED', why),
  });
  t.after(() => stream.reset());
  const { raw, tls } = await served;
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
  const { port, accepted } = await listening(t);
  const peer = connect({
    socket: connectRaw({ port, host: '127.0.0.1' }).on('error', () => {}),
    rejectUnauthorized: false,
  });
  peer.on('error', () => {});
  const secure = new TLSSocket(await accepted, { isServer: true, ...IDENTITY });
  const stream = TcpStream.over(secure.pause());
  t.after(() => [peer.destroy(), stream.close()]);
  await once(peer, 'secureConnect');
  const reading = readUntil<string>(stream, { ...LIMITS, timeoutMs: 200, scan });
  await sleep(20);
  await nextTurn();
  peer.write('head\n');
  const end = performance.now() + 300;
  while (performance.now() < end);
  assert.equal(await reading, 'head\n');
});
