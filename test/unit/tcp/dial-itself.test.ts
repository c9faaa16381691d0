import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { TcpDialler } from '#src/tcp/dial.js';
import { refusingHop } from '../../support/black-hole.js';
import { failureOf } from '../../support/fetch.js';

/** Ports that the kernel gives to outgoing connections. */
function ephemeralPorts(): number {
  const [low = 0, high = 0] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
    .split(/\s+/u)
    .map(Number);
  return high - low + 1;
}

test('a connection that meets its own port is a refusal, not a hop', async (t: TestContext) => {
  const hop = await refusingHop(t);
  const dialler = new TcpDialler();
  const signal = new AbortController().signal;
  // The kernel tries one local port after the other, and comes to the dialled one within this many.
  for (let dials = ephemeralPorts(); dials > 0; dials -= 1) {
    const dialling = dialler.dial(hop, { label: 'the hop', timeoutMs: 20_000, signal });
    const error = await failureOf(dialling);
    assert.equal(error.code, 'REFUSED');
    assert.equal(error.message, 'the hop refused the connection');
    if (error.cause instanceof Error && error.cause.message === 'the connection met its own port') return;
  }
  assert.fail('no connection met its own port');
});
