import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TcpDialler } from '#src/tcp/dial.js';
import type { ByteStream } from '#src/tcp/byte-stream.js';
import { Resolver } from '#src/tcp/resolver.js';
import { blackHole, refusingHop } from '../../support/black-hole.js';
import { finds } from '../../support/lookups.js';

/** Dials a name that has so many addresses, all of them loopback. */
function dialName(count: number, port: number, timeoutMs = 20_000): Promise<ByteStream> {
  const addresses = Array.from({ length: count }, () => '127.0.0.1');
  return new TcpDialler(new Resolver(finds(...addresses))).dial(
    { host: 'name', port },
    { label: 'the hop', timeoutMs, signal: new AbortController().signal },
  );
}

test('an error of a name with more addresses than were dialled says how many of how many', async (t) => {
  const { port } = await refusingHop(t);
  await assert.rejects(dialName(7, port), {
    code: 'REFUSED',
    message: 'the hop refused the connection; 6 of 7 addresses tried',
  });
  const silent = await blackHole(t);
  await assert.rejects(dialName(7, silent.port, 100), {
    code: 'CONNECT_TIMEOUT',
    message: 'the hop did not answer within 0.1 s; 1 of 7 addresses tried',
  });
});

test('an error of a name whose addresses were all dialled does not count them', async (t) => {
  const { port } = await refusingHop(t);
  await assert.rejects(dialName(2, port), { code: 'REFUSED', message: 'the hop refused the connection' });
});
