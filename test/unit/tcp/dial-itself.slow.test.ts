import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { test } from 'node:test';
import { isOwnPeer } from '#src/tcp/connect-race.js';
import { TcpDialler } from '#src/tcp/dial.js';
import { TcpStream } from '#src/tcp/stream.js';
import { refusingHop } from '../../support/black-hole.js';
import { failureOf } from '../../support/fetch.js';
import { rawServer } from '../../support/raw.js';

/** Ports that the kernel gives to outgoing connections; it takes every other one. */
function outgoingPorts(): number {
  const [low = 0, high = 0] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
    .split(/\s+/u)
    .map(Number);
  return Math.ceil((high - low + 1) / 2);
}

test('a connection that met its own port is known, and no other is taken for one', async (t) => {
  const { port } = await refusingHop(t);
  const { hop } = await rawServer(t, () => {});
  for (const [host, from, to] of [
    ['127.0.0.2', port, port], // Held at 127.0.0.1, and free here.
    ['127.0.0.1', 0, hop.port],
  ] as const) {
    const socket = connect({ host, port: to, localAddress: host, localPort: from, allowHalfOpen: true });
    t.after(() => socket.destroy());
    await once(socket.pause(), 'connect');
    assert.equal(isOwnPeer(TcpStream.over(socket)), from === to);
  }
});

test('dialled often enough that the kernel mostly comes to the dialled port itself, every time is a refusal', async (t) => {
  const hop = await refusingHop(t);
  const dialler = new TcpDialler();
  const signal = new AbortController().signal;
  for (let dials = outgoingPorts(); dials > 0; dials -= 1) {
    const error = await failureOf(dialler.dial(hop, { label: 'the hop', timeoutMs: 20_000, signal }));
    assert.equal(error.code, 'REFUSED');
    assert.equal(error.message, 'the hop refused the connection');
    if (error.cause instanceof Error && error.cause.message === 'the connection met its own port') return;
  }
});
