import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { rawServer } from './raw.js';
import { PLAIN, type Wire } from './wires.js';

/** A first hop that answers as it is told once a request has come; `requests` are the heads that came. */
export async function httpHop(t: TestContext, answer: (socket: Socket) => void, wire: Wire = PLAIN) {
  const requests: string[] = [];
  const { hop } = await rawServer(t, (socket) => {
    let head = '';
    socket.on('data', (bytes: Buffer) => {
      if (socket.writableEnded) return; // As a node, which closes.
      head += bytes.toString('latin1');
      if (!head.endsWith('\r\n\r\n')) return;
      requests.push(head);
      head = '';
      answer(socket);
    });
  });
  return { hop: await wire.front(t, hop), requests };
}
