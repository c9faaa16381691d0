import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../support/fetch.js';
import { testChain } from '../support/nodes.js';
import { rawConnect, readToEnd } from '../support/raw.js';
import { randomFile, tempFolder } from '../support/temp.js';

/** As acceptance has it: far below the quiet that ends a message, and no segment holds two bytes. */
const BETWEEN_BYTES_MS = 5;

async function dribble(socket: Socket, text: string): Promise<void> {
  for (const byte of Buffer.from(text)) {
    socket.write(Buffer.of(byte));
    await delay(BETWEEN_BYTES_MS);
  }
}

const ENDINGS: readonly {
  readonly what: string;
  readonly end: (message: string) => string;
  readonly fin?: true;
}[] = [
  { what: 'with an empty line', end: (message) => message },
  { what: 'with a final newline', end: (message) => message.slice(0, -1) },
  { what: 'without a final newline', end: (message) => message.slice(0, -2) },
  { what: 'without a final newline, with FIN', end: (message) => message.slice(0, -2), fin: true },
  { what: 'with CRLF', end: (message) => message.replaceAll('\n', '\r\n') },
];

for (const { what, end, fin } of ENDINGS) {
  test(`a message that comes one byte a segment, ${what}, over three hops`, async (t) => {
    const root = tempFolder(t);
    const file = randomFile(root, 'a file', 100_000);
    const { nodes, route } = await testChain(t, 3, { root });
    const client = await rawConnect(t, nodes[0]?.hop ?? { host: '', port: 0 });
    const ending = readToEnd(client);
    await dribble(client, end(messageOf('a file', route.slice(1))));
    if (fin) client.end();
    const { bytes, how } = await ending;
    assert.equal(how, 'end');
    assert.ok(bytes.equals(file));
    client.destroy();
  });
}
