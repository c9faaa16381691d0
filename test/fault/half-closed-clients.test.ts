import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { type HostHop, formatHop } from 'viaduct';
import type { PumpName } from '#src/pump/choose-pump.js';
import { testNode } from '../support/nodes.js';
import { rawConnect, rawServer, readToEnd } from '../support/raw.js';
import { tempFolder } from '../support/temp.js';

/** More than a client that reads nothing receives, and less than a relay's kernel queues for it. */
const LARGE_BYTES = 300 * 1024;
/** A reply that a relay has whole with its head. */
const SMALL_BYTES = 8 * 1024;

async function overTls(t: TestContext, hop: HostHop): Promise<Socket> {
  const socket = await rawConnect(t, hop);
  const tls = connectTls({ socket, rejectUnauthorized: false }).on('error', () => {});
  t.after(() => tls.destroy());
  return tls;
}

function reply(bytes: number): string {
  return `HTTP/1.1 200 OK\r\nViaduct: 1\r\nContent-Length: ${bytes}\r\n\r\n${'v'.repeat(bytes)}`;
}

/*
 * The client's FIN has come before the reply, so that nothing is waited for once that is sent: a connection that is closed before its
 * own FIN is with the kernel is reset, and what the kernel has not sent yet is lost.
 */
for (const [name, connect, pump] of [
  ['plain', rawConnect, undefined],
  ["plain, with Node's sockets", rawConnect, 'portable'],
  ['in TLS', overTls, undefined],
] as const satisfies readonly (readonly [string, unknown, PumpName | undefined])[]) {
  test(`a client that has sent FIN, and reads late, gets its whole reply: ${name}`, async (t) => {
    const origin = await rawServer(t, (socket) => {
      socket.on('data', (head) => socket.write(reply(head.includes('/small') ? SMALL_BYTES : LARGE_BYTES)));
    });
    const relay = await testNode(t, { root: tempFolder(t), ...(pump !== undefined && { pump }) });
    const request = (path: string, connection: string): string =>
      `GET /@${formatHop(origin.hop)}/${path} HTTP/1.1\r\nHost: localhost\r\nConnection: ${connection}\r\n\r\n`;
    const client = (await connect(t, relay.hop)).pause();
    client.end(request('large', 'keep-alive') + request('small', 'close'));
    await relay.event('closed');
    const { bytes } = await readToEnd(client);
    const body = bytes.toString('latin1').replaceAll(/HTTP\/1\.1 200 OK\r\n.*?\r\n\r\n/gs, '');
    assert.equal(body.length, LARGE_BYTES + SMALL_BYTES);
    assert.equal(relay.events.filter(({ type }) => type === 'completed').length, 2);
  });
}
