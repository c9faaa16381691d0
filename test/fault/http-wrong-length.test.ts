import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { formatHop } from 'viaduct';
import { parseReply, requestOf } from '../support/http.js';
import { watchDescriptors } from '../support/leaks.js';
import { testNode } from '../support/nodes.js';
import { exchange, rawConnect, rawServer, readToEnd } from '../support/raw.js';

const HEAD = 'HTTP/1.1 200 OK\r\nViaduct: 1\r\n';
const SECOND = `${HEAD}Content-Length: 6\r\n\r\nsecond`;

/** Two relays and a next hop that answers with a text: head and body apart, or in one. */
async function relayed(t: TestContext, method: string, head: string, body: string, apart: boolean) {
  const [first, relay] = await Promise.all([testNode(t), testNode(t)]);
  const { hop } = await rawServer(t, (socket) => {
    socket.once('data', () => {
      if (!apart) return void socket.end(head + body);
      // What follows the head leaves once the client has it: never in one segment with it.
      socket.write(head);
      unsent = socket;
    });
  });
  let unsent: Socket | undefined;
  const nothingOpen = watchDescriptors();
  const route = [first.hop, relay.hop, hop];
  const client = await rawConnect(t, first.hop);
  const ending = readToEnd(client);
  client.write(requestOf(route, '/file', undefined, method));
  await once(client, 'data');
  unsent?.end(body);
  const { bytes, how } = await ending;
  client.destroy();
  await nothingOpen();
  return { how, reply: parseReply(bytes), nodes: [first, relay], hop };
}

for (const [what, method, head, body, expected] of [
  ['more bytes than announced', 'GET', `${HEAD}Content-Length: 4\r\n\r\n`, 'bodyexcess', 'body'],
  ['a reply that nobody asked for', 'GET', `${HEAD}Content-Length: 4\r\n\r\n`, `body${SECOND}`, 'body'],
  ['a body though it announces none', 'GET', `${HEAD}Content-Length: 0\r\n\r\n`, 'excess', ''],
  ['a body after 304', 'GET', `${HEAD.replace('200', '304')}Content-Length: 4\r\n\r\n`, 'body', ''],
  ['a body after 204', 'GET', `${HEAD.replace('200', '204')}\r\n`, 'body', ''],
  ['a body after HEAD', 'HEAD', `${HEAD}Content-Length: 4\r\n\r\n`, 'body', ''],
  ['chunks after HEAD', 'HEAD', `${HEAD}Transfer-Encoding: chunked\r\n\r\n`, '1\r\nx\r\n0\r\n\r\n', ''],
] as const) {
  for (const apart of [false, true]) {
    test(`a next hop sends ${what}, ${apart ? 'after' : 'with'} its head: the client gets what was announced`, async (t) => {
      const { how, reply, nodes } = await relayed(t, method, head, body, apart);
      assert.equal(reply.body.toString(), expected);
      assert.equal(how, 'end');
      for (const node of nodes) assert.ok((await node.event('completed')).bytes > 0);
    });
  }
}

for (const [sent, apart] of [
  ['', false],
  ['', true],
  ['012345678', false],
  ['012345678', true],
] as const) {
  test(`a next hop ends after ${sent.length} of 10 bytes${apart ? ', apart' : ''}: a reset, and the relay says so`, async (t) => {
    const head = `${HEAD}Content-Length: 10\r\n\r\n`;
    const { how, nodes, hop } = await relayed(t, 'GET', head, sent, apart);
    assert.equal(how, 'reset');
    const { error, bytes } = (await nodes[1]?.event('failed')) ?? assert.fail();
    assert.equal(error.code, 'CUT_SHORT');
    assert.equal(error.hopAddress, formatHop(hop));
    assert.match(
      error.message,
      new RegExp(
        `^hop 3 \\(${formatHop(hop)}\\) closed the connection after ${bytes} of ${bytes + 10 - sent.length} bytes$`,
      ),
    );
    const before = (await nodes[0]?.event('failed')) ?? assert.fail();
    assert.match(before.error.message, /^hop 2 \(.*\) reset the connection after \d+ of \d+ bytes$/);
  });
}

test('a next hop that goes on sending after the announced bytes holds no relay', async (t) => {
  const relay = await testNode(t);
  const { hop } = await rawServer(t, (socket) => {
    const pour = (): void => {
      while (!socket.destroyed && socket.write(Buffer.alloc(100_000, 'x')));
    };
    socket.on('drain', pour);
    socket.once('data', () => {
      socket.write(`${HEAD}Content-Length: 4\r\n\r\nbody`);
      pour();
    });
  });
  const nothingOpen = watchDescriptors();
  const { bytes, how } = await exchange(t, relay.hop, requestOf([relay.hop, hop], '/file'));
  assert.deepEqual([parseReply(bytes).body.toString(), how], ['body', 'end']);
  await nothingOpen();
});
