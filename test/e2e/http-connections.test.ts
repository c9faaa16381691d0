import assert from 'node:assert/strict';
import { type TestContext, describe, test } from 'node:test';
import { formatHop } from 'viaduct';
import type { NodeTimes } from '#src/node/context.js';
import { testChain, testNode } from '../support/nodes.js';
import { exchange, lonelyServer, rawConnect, readToEnd } from '../support/raw.js';
import { randomFile, tempFolder } from '../support/temp.js';
import { ask, get, headOf, repliesIn } from '../support/wire-replies.js';

const HOST = 'Host: localhost\r\n';
/** As if it had come over so many nodes. */
const cameOver = (count: number): string =>
  `Via: ${Array.from({ length: count }, () => '1.1 viaduct').join(', ')}`;

/** A request that leaves the connection open. */
const kept = (path: string, method = 'GET'): string => `${method} ${path} HTTP/1.1\r\n${HOST}\r\n`;

/** A relay and an origin, both with `/a` and `/b`; the path of the origin behind the relay. */
async function prepare(t: TestContext, times: Partial<NodeTimes> = {}) {
  const root = tempFolder(t);
  const a = randomFile(root, 'a', 300_000);
  const b = randomFile(root, 'b', 10);
  const { nodes, route } = await testChain(t, 2, { root }, times);
  const [relay, origin] = nodes;
  const [, second] = route;
  assert.ok(relay && origin && second);
  return { root, a, b, relay, origin, via: `/@${formatHop(second)}` };
}

/** Sends everything in one piece and takes what comes to a clean end. */
async function replies(
  t: TestContext,
  hop: Parameters<typeof ask>[1],
  text: string,
  methods?: readonly string[],
) {
  const { bytes, how } = await exchange(t, hop, text);
  assert.equal(how, 'end');
  return repliesIn(bytes, methods);
}

describe('RFC 9112 §9.3: requests on one connection', () => {
  test('that come together are answered each once, in order', async (t) => {
    const { relay, a, b } = await prepare(t);
    const methods = ['GET', 'HEAD', 'GET', 'GET', 'HEAD', 'GET', 'GET'];
    const paths = ['/a', '/a', '/b', '/missing', '/missing', '/', '/b'];
    const requests = paths.map((path, index) => kept(path, methods[index]));
    const got = await replies(t, relay.hop, `${requests.slice(0, -1).join('')}${get('/b')}`, methods);
    assert.deepEqual(
      got.map(({ status }) => status),
      [200, 200, 200, 404, 404, 200, 200],
    );
    assert.deepEqual(
      [got[0], got[2], got[6]].map((reply) => reply?.body),
      [a, b, b],
    );
    assert.deepEqual(
      [got[1], got[4]].map((reply) => reply?.body.length),
      [0, 0],
    );
    assert.equal(got[1]?.fields['content-length'], '300000');
    assert.deepEqual(
      got.map(({ fields }) => fields['connection']),
      [...Array.from({ length: 6 }, () => undefined), 'close'],
    );
    const { connectionId, requests: reported } = await relay.event('closed');
    assert.deepEqual([connectionId, reported], [0, 7]);
    const ids = (wanted: string): unknown[] =>
      relay.events.flatMap((event) =>
        event.type === wanted && 'requestId' in event ? [[event.connectionId, event.requestId]] : [],
      );
    assert.deepEqual(
      ids('request'),
      methods.map((_, index) => [0, index]),
    );
    assert.deepEqual([...ids('completed'), ...ids('failed')].length, 7);
    assert.equal(relay.events.filter(({ type }) => type === 'accepted').length, 1);
  });

  test('that come byte by byte, as well', async (t) => {
    const { relay, b } = await prepare(t);
    const client = await rawConnect(t, relay.hop);
    const ending = readToEnd(client);
    for (const byte of Buffer.from(`${kept('/b')}${kept('/b', 'HEAD')}${get('/b')}`)) {
      await new Promise<unknown>((resolve) => client.write(Buffer.of(byte), resolve));
    }
    const got = repliesIn((await ending).bytes, ['GET', 'HEAD']);
    assert.deepEqual(
      got.map(({ body }) => body.length),
      [b.length, 0, b.length],
    );
  });

  test('a hundred of them', async (t) => {
    const { relay, b } = await prepare(t);
    const got = await replies(t, relay.hop, `${kept('/b').repeat(99)}${get('/b')}`);
    assert.equal(got.length, 100);
    for (const { body } of got) assert.deepEqual(body, b);
  });

  test('more of them than are read ahead', async (t) => {
    const { relay, a } = await prepare(t);
    const padded = `GET /a HTTP/1.1\r\n${HOST}A: ${'x'.repeat(12_000)}\r\n\r\n`;
    const got = await replies(t, relay.hop, `${padded.repeat(19)}${get('/a')}`);
    assert.equal(got.length, 20);
    for (const { body } of got) assert.ok(body.equals(a));
  });

  test('with a hop left, they are forwarded over one connection', async (t) => {
    const { relay, origin, via, a, b } = await prepare(t);
    const paths = ['/b', `${via}/a`, '/b', `${via}/b`, `${via}/missing`, `${via}/`];
    const got = await replies(t, relay.hop, `${paths.map((path) => kept(path)).join('')}${get(`${via}/a`)}`);
    assert.deepEqual(
      got.map(({ status }) => status),
      [200, 200, 200, 200, 404, 200, 200],
    );
    assert.deepEqual(
      [0, 1, 2, 3, 6].map((at) => got[at]?.body),
      [b, a, b, b, a],
    );
    assert.deepEqual(
      got.map(({ fields }) => fields['keep-alive'] ?? fields['connection']),
      [...Array.from({ length: 6 }, () => 'timeout=5'), 'close'],
    );
    // The last one is for a client that leaves: a connection of its own would do as well.
    const accepted = origin.events.filter(({ type }) => type === 'accepted').length;
    assert.ok(accepted <= 2, `${accepted} connections`);
  });

  test('"Connection: close" among other options ends it, in any case', async (t) => {
    const { relay } = await prepare(t);
    for (const option of ['close', 'Close', 'x, CLOSE', ',close ,']) {
      const request = `GET /b HTTP/1.1\r\n${HOST}Connection: ${option}\r\n\r\n`;
      const got = await replies(t, relay.hop, `${request}${kept('/b')}`);
      assert.deepEqual(
        got.map(({ fields }) => fields['connection']),
        ['close'],
      );
    }
  });

  test('a request that is refused ends it, one for a file that is not there does not', async (t) => {
    const { relay } = await prepare(t);
    const got = await replies(
      t,
      relay.hop,
      `${kept('/missing')}${kept('/.hidden')}${kept('/b', 'POST')}${kept('/b')}`,
    );
    assert.deepEqual(
      got.map(({ status }) => status),
      [404, 403, 405],
    );
  });

  test('one that is idle ends cleanly', async (t) => {
    const { relay } = await prepare(t, { keepAliveMs: 200 });
    const [reply, ...others] = await replies(t, relay.hop, kept('/b'));
    assert.equal(reply?.fields['connection'], undefined);
    assert.deepEqual(others, []);
  });
});

describe('the end of the client', () => {
  for (const where of ['at the origin', 'behind a relay'] as const) {
    test(`FIN after the request is no departure, ${where}`, async (t) => {
      const { relay, via, a } = await prepare(t);
      const client = await rawConnect(t, relay.hop);
      const ending = readToEnd(client);
      client.end(kept(`${where === 'at the origin' ? '' : via}/a`));
      const { bytes, how } = await ending;
      assert.equal(how, 'end');
      assert.deepEqual(
        repliesIn(bytes).map(({ body }) => body),
        [a],
      );
    });
  }

  test('FIN after requests that come together: all are answered', async (t) => {
    const { relay, via, a } = await prepare(t);
    const client = await rawConnect(t, relay.hop);
    const ending = readToEnd(client);
    client.end(`${kept('/b')}${kept('/a', 'HEAD')}${kept(`${via}/a`)}`);
    const got = repliesIn((await ending).bytes, ['GET', 'HEAD']);
    assert.deepEqual(
      got.map(({ body }) => body.length),
      [10, 0, a.length],
    );
  });
});

describe('RFC 9112 §9.5: a head that is not whole in time', () => {
  for (const [what, text] of [
    ['after its first line', `GET /b HTTP/1.1\r\n`],
    ['in a field', `GET /b HTTP/1.1\r\nHost`],
    ['before the empty line', `GET /b HTTP/1.1\r\n${HOST}`],
  ] as const) {
    test(`is a 408, ${what}`, async (t) => {
      const node = await testNode(t, { root: tempFolder(t), timeoutMs: 200 });
      const reply = await ask(t, node.hop, text);
      assert.deepEqual([reply.status, reply.fields['connection']], [408, 'close']);
      const { error } = await node.event('failed');
      assert.equal(error.code, 'MESSAGE_TIMEOUT');
    });
  }

  test('is a 408 on a kept connection too', async (t) => {
    const root = tempFolder(t);
    randomFile(root, 'b', 10);
    const node = await testNode(t, { root, timeoutMs: 200 });
    const got = await replies(t, node.hop, `${kept('/b')}GET /b HT`);
    assert.deepEqual(
      got.map(({ status }) => status),
      [200, 408],
    );
  });

  test('what may still become HTTP is reset', async (t) => {
    const node = await testNode(t, { root: tempFolder(t), timeoutMs: 200 });
    const { bytes, how } = await exchange(t, node.hop, 'GET /b HT');
    assert.deepEqual([bytes.length, how], [0, 'reset']);
  });
});

test('a route of too many hops is a 400 that names a loop, and nothing is dialled', async (t) => {
  const next = await lonelyServer(t);
  const node = await testNode(t, { root: tempFolder(t) });
  const hop = `/@${formatHop(next.hop)}`;
  for (const request of [
    get(`${hop.repeat(16)}/b`),
    get(`${hop}/b`, cameOver(15)),
    get(`${hop.repeat(9)}/`, cameOver(7)),
  ]) {
    const reply = await ask(t, node.hop, request);
    assert.equal(reply.status, 400);
    assert.match(reply.fields['proxy-status'] ?? '', /error=proxy_loop_detected/);
  }
  const head = headOf('HEAD /@h:1/ HTTP/1.1', ['Host: localhost', cameOver(15), 'Connection: close']);
  assert.deepEqual((await ask(t, node.hop, head)).body.length, 0);
  await next.assertNotDialled();
});
