import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { formatHop } from 'viaduct';
import type { NodeTimes } from '#src/node/context.js';
import { testNode } from './nodes.js';
import { rawServer } from './raw.js';
import { tempFolder } from './temp.js';

/** A relay before a next hop that answers each head with what it is told to. */
export async function relayTo(
  t: TestContext,
  answer: (socket: Socket, request: string) => void,
  allowed = false,
  times: Partial<NodeTimes> = {},
) {
  const requests: string[] = [];
  const { hop } = await rawServer(t, (socket) => {
    let request = '';
    socket.on('data', (chunk: Buffer) => {
      request += chunk.toString('latin1');
      if (!request.endsWith('\r\n\r\n')) return;
      requests.push(request);
      answer(socket, request);
    });
  });
  const allowHops = allowed ? [formatHop(hop)] : [];
  const relay = await testNode(t, { root: tempFolder(t), timeoutMs: 1000, allowHops }, times);
  return { relay, hop, requests, path: `/@${formatHop(hop)}/file` };
}
