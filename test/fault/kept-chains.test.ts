import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type TestContext, describe, test } from 'node:test';
import { parseReply, requestOf } from '../support/http.js';
import { testNode } from '../support/nodes.js';
import { rawConnect, rawServer, readToEnd } from '../support/raw.js';
import { closed, until } from '../support/streams.js';
import { repliesIn } from '../support/wire-replies.js';

const HEAD = 'HTTP/1.1 200 OK\r\nViaduct: 1\r\n';
const POISON = `${HEAD}Content-Length: 6\r\n\r\npoison`;

function replyWith(body: string): string {
  return `${HEAD}Content-Length: ${body.length}\r\n\r\n${body}`;
}

/** What a next hop does with a request: `count` from 0, over all of its connections. */
type Act = (socket: Socket, count: number, connection: number) => void;

/** A relay, a next hop of the test's own behind it, and a client's connection to the relay. */
async function chain(t: TestContext, act: Act) {
  const relay = await testNode(t);
  let [requests, connections] = [0, 0];
  const sockets: Socket[] = [];
  const heads: string[] = [];
  const { hop } = await rawServer(t, (socket) => {
    const connection = connections++;
    sockets.push(socket);
    socket.on('data', (bytes: Buffer) => {
      heads.push(bytes.toString('latin1'));
      act(socket, requests++, connection);
    });
  });
  const client = await rawConnect(t, relay.hop);
  let text = '';
  client.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')));
  const ask = (path = '/', fields: readonly string[] = []): void =>
    void client.write(requestOf([relay.hop, hop], path, fields));
  return {
    relay,
    hop,
    client,
    sockets,
    heads,
    ask,
    /** Asks, and waits until this has come. */
    get: async (expected: string): Promise<void> => {
      ask();
      await until(() => text.endsWith(expected));
    },
    text: () => text,
    bodies: () => repliesIn(Buffer.from(text, 'latin1'), [], false).map(({ body }) => body.toString()),
  };
}

test('requests of one client share one connection to the next hop; another client has its own', async (t) => {
  const { relay, hop, sockets, heads, get, bodies } = await chain(t, (socket, count) => {
    socket.write(replyWith(`body ${count}`));
  });
  for (let count = 0; count < 3; count += 1) await get(`body ${count}`);
  assert.deepEqual(bodies(), ['body 0', 'body 1', 'body 2']);
  assert.equal(sockets.length, 1);
  assert.ok(heads.every((head) => !/^connection:/im.test(head)));
  const other = await rawConnect(t, relay.hop);
  other.write(requestOf([relay.hop, hop], '/', []));
  await once(other, 'data');
  assert.equal(sockets.length, 2);
  const kept = relay.events.filter((event) => event.type === 'dialled' && event.isKept === true);
  assert.equal(kept.length, 2);
});

test('both ends of a kept chain close with the client', async (t) => {
  const { client, sockets, get } = await chain(t, (socket) => socket.write(replyWith('body')));
  await get('body');
  client.destroy();
  const [upstream] = sockets;
  assert.ok(upstream);
  upstream.once('end', () => upstream.end());
  await closed(upstream);
});

test('a client of another class gets another connection', async (t) => {
  const { client, sockets, ask, text } = await chain(t, (socket) => socket.write(replyWith('body')));
  ask('/', ['Viaduct-Client: public']);
  await until(() => text().endsWith('body') || text().includes('HTTP/1.1 4'));
  // A public client is relayed to no loopback address: what was dialled for a local one is not for it.
  assert.equal(sockets.length, 0);
  assert.match(text(), /^HTTP\/1\.1 403/);
  client.destroy();
});

describe('what comes behind a reply never becomes another one:', () => {
  for (const [what, method, first, body] of [
    ['a longer body', 'GET', `${HEAD}Content-Length: 4\r\n\r\nbody${POISON}`, 'body'],
    [
      'behind the last chunk',
      'GET',
      `${HEAD}Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n${POISON}`,
      'body',
    ],
    ['a body after HEAD', 'HEAD', `${HEAD}Content-Length: ${POISON.length}\r\n\r\n${POISON}`, ''],
    [
      'a body after 304',
      'GET',
      `${HEAD.replace('200', '304')}Content-Length: ${POISON.length}\r\n\r\n${POISON}`,
      '',
    ],
    ['a late interim reply', 'GET', `${replyWith('body')}HTTP/1.1 103 Early\r\nViaduct: 1\r\n\r\n`, 'body'],
  ] as const) {
    test(`${what}, at once: both connections end`, async (t) => {
      const { relay, hop, sockets } = await chain(t, (socket) => socket.write(first));
      const client = await rawConnect(t, relay.hop);
      const ending = readToEnd(client);
      client.write(requestOf([relay.hop, hop], '/', [], method) + requestOf([relay.hop, hop], '/', []));
      const { bytes, how } = await ending;
      const replies = repliesIn(bytes, [method]);
      assert.deepEqual([how, replies.map((reply) => reply.body.toString())], ['end', [body]]);
      assert.equal(sockets.length, 1, 'the second request was not forwarded');
      await until(() =>
        sockets.every((socket) => socket.destroyed || socket.readableEnded || socket.errored !== null),
      );
    });
  }

  test('when it comes later, both end before another request', async (t) => {
    const { client, sockets, get, bodies } = await chain(t, (socket) => socket.write(replyWith('body')));
    await get('body');
    const [upstream] = sockets;
    assert.ok(upstream);
    const ended = once(client, 'end');
    upstream.write(POISON);
    await ended;
    assert.deepEqual(bodies(), ['body']);
  });
});

describe('a next hop that has closed a kept connection', () => {
  test('is dialled again for the next request', async (t) => {
    const { sockets, get, bodies } = await chain(t, (socket, count) =>
      socket.write(replyWith(`body ${count}`)),
    );
    await get('body 0');
    sockets[0]?.end();
    await closed(sockets[0] ?? assert.fail());
    await get('body 1');
    assert.deepEqual([bodies(), sockets.length], [['body 0', 'body 1'], 2]);
  });

  for (const how of ['end', 'reset'] as const) {
    test(`is dialled again if it does so when the request comes (${how})`, async (t) => {
      const { sockets, get, bodies } = await chain(t, (socket, count) => {
        if (count !== 1) socket.write(replyWith(`body ${count}`));
        else if (how === 'end') socket.end();
        else socket.resetAndDestroy();
      });
      await get('body 0');
      await get('body 2');
      assert.deepEqual([bodies(), sockets.length], [['body 0', 'body 2'], 2]);
    });
  }

  test('is not asked again once a byte of its reply has come', async (t) => {
    const { sockets, get, text } = await chain(t, (socket, count) => {
      if (count === 0) socket.write(replyWith('body'));
      else socket.end('H');
    });
    await get('body');
    await get('}\n');
    assert.match(text(), /HTTP\/1\.1 502[^]*"code":"CUT_SHORT"/);
    assert.equal(sockets.length, 1);
  });
});

test('a next hop that closes after its reply ends only its own connection', async (t) => {
  const { sockets, get, bodies } = await chain(t, (socket, count) => {
    socket.end(`${HEAD}Connection: close\r\nContent-Length: 6\r\n\r\nbody ${count}`);
  });
  await get('body 0');
  await get('body 1');
  assert.deepEqual([bodies(), sockets.length], [['body 0', 'body 1'], 2]);
});

for (const [what, reply] of [
  ['shorter than it says', `${HEAD}Content-Length: 10\r\n\r\nbody`],
  ['without its last chunk', `${HEAD}Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n`],
] as const) {
  test(`a reply that is ${what} ends both with a reset`, async (t) => {
    const { relay, client, ask, get, sockets } = await chain(t, (socket, count) => {
      if (count === 0) socket.write(replyWith('body 0'));
      else socket.end(reply);
    });
    await get('body 0');
    const reset = once(client, 'error');
    ask();
    await reset;
    assert.equal((await relay.event('failed')).error.code, 'CUT_SHORT');
    assert.equal(sockets.length, 1);
  });
}

test('a chunk that is malformed later ends both with a reset', async (t) => {
  const { relay, client, ask, text, sockets } = await chain(t, (socket) =>
    socket.write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n`),
  );
  ask();
  await until(() => text().includes('body'));
  const reset = once(client, 'error');
  sockets[0]?.write('x\r\n');
  await reset;
  const { error } = await relay.event('failed');
  assert.equal(error.code, 'BAD_REPLY');
  assert.match(error.message, /^hop 2 \(.*\) sent a malformed chunk: a malformed size$/);
});

test('a reply that only FIN ends, ends the connection of the client too', async (t) => {
  const { client, ask, text } = await chain(t, (socket) => socket.end(`${HEAD}\r\nbody`));
  const ended = once(client, 'end');
  ask();
  ask();
  await ended;
  const { fields, body } = parseReply(Buffer.from(text(), 'latin1'));
  assert.deepEqual([fields.get('connection'), body.toString()], ['close', 'body']);
});
