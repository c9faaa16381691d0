import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import type { HostHop } from 'viaduct';
import { parseReply, problemOf, requestOf } from '../support/http.js';
import { testChain, testNode } from '../support/nodes.js';
import { exchange, lonelyServer, rawConnect, readToEnd } from '../support/raw.js';
import { STRANGERS, type Stranger, stranger } from '../support/strangers.js';

// RFC 9931: a tunnel cannot be used to send bytes of the client's choice to anything that is not a node.

const LIMIT = { timeout: 60_000 };
/** For the servers that answer nothing. */
const TIMES = { headPerHopMs: 200, lingerMs: 500 };
const SILENCE = { timeoutMs: 2000 };

const UPGRADE = ['Connection: Upgrade', 'Upgrade: viaduct'];
/** Commands that a server of another protocol might obey. */
const COMMANDS = 'EHLO evil\r\nMAIL FROM:<evil@example>\r\n';
/** What begins as a ClientHello has to. */
const DISGUISED = Buffer.from(`\x16${COMMANDS}`, 'latin1');

function helloField(bytes: Buffer): string {
  return `Viaduct-Hello: ${bytes.toString('base64')}`;
}

interface Attack {
  readonly socket: Socket;
  readonly route: readonly HostHop[];
  readonly target: Stranger;
  /** The reply of the first hop. */
  readonly replied: Promise<unknown>;
}

/** What a client may try to get its bytes past a relay. */
const ATTACKS: Readonly<Record<string, (attack: Attack) => Promise<void>>> = {
  'bytes behind the head': async ({ socket, route }) => {
    socket.write(requestOf(route, '/', UPGRADE) + COMMANDS);
  },
  'bytes behind the head, in pieces': async ({ socket, route }) => {
    const bytes = requestOf(route, '/', UPGRADE) + COMMANDS;
    for (let at = 0; at < bytes.length; at += 40) {
      socket.write(bytes.slice(at, at + 40));
      await new Promise(setImmediate);
    }
  },
  'another request behind the head': async ({ socket, route }) => {
    socket.write(requestOf(route, '/', UPGRADE) + requestOf(route, '/EHLO-evil'));
  },
  'bytes once the target was asked': async ({ socket, route, target }) => {
    socket.write(requestOf(route, '/', UPGRADE));
    await target.asked;
    socket.write(COMMANDS);
  },
  'bytes after the reply': async ({ socket, route, replied }) => {
    socket.write(requestOf(route, '/', UPGRADE));
    await replied;
    socket.write(COMMANDS);
  },
  'FIN behind bytes': async ({ socket, route }) => {
    socket.end(requestOf(route, '/', UPGRADE) + COMMANDS);
  },
  'bytes in the hello': async ({ socket, route }) => {
    socket.write(requestOf(route, '/', [...UPGRADE, helloField(DISGUISED)]));
  },
  'four KiB in the hello, and bytes behind it': async ({ socket, route }) => {
    const bytes = Buffer.concat([DISGUISED, Buffer.alloc(4096 - DISGUISED.length, COMMANDS)]);
    socket.write(requestOf(route, '/', [...UPGRADE, helloField(bytes)]) + COMMANDS);
  },
};

/** One head as a relay writes it, and nothing else; the client's bytes are in it at most as base64. */
function assertOnlyHead(text: string): void {
  assert.match(text, /^GET \/ HTTP\/1\.1\r\n(?:[A-Za-z-]+: [\x20-\x7e]+\r\n)+\r\n$/);
  assert.ok(!text.includes('evil'), text);
  for (const line of text.split('\r\n').slice(1, -2))
    assert.match(
      line,
      /^(?:Host|Via|Viaduct-Client|traceparent|Connection|Upgrade): |^Viaduct-Hello: [A-Za-z0-9+/=]+$/,
    );
}

/** The client got an error, perhaps after an interim reply, and never a 101. */
function assertOnlyError(text: string, how: string): void {
  assert.doesNotMatch(text, /^HTTP\/1\.1 (?:101|[23])/m, how);
  assert.match(text, /^HTTP\/1\.1 [45]\d\d /m, how);
}

for (const relays of [1, 2]) {
  test(`no stranger gets a byte of the client's through relays: ${relays}`, LIMIT, async (t) => {
    const { route } = await testChain(t, relays, SILENCE, TIMES);
    for (const [what, manner] of Object.entries(STRANGERS)) {
      await t.test(what, LIMIT, async (st) => {
        const attacks = Object.entries(ATTACKS).map(async ([how, attack]) => {
          const target = await stranger(st, manner);
          const socket = await rawConnect(st, route[0] as HostHop);
          const replied = once(socket, 'data');
          replied.catch(() => {});
          const ended = readToEnd(socket);
          await attack({ socket, route: [...route, target.hop], target, replied });
          const { bytes } = await ended;
          // None for one that sends FIN and so leaves.
          if (bytes.length > 0) assertOnlyError(bytes.toString(), how);
          // None if the bytes came before the relay had dialled.
          assert.ok(target.got.length <= 1, how);
          if (target.got[0]) assertOnlyHead(target.got[0]);
        });
        await Promise.all(attacks);
      });
    }
  });
}

test('a web server that the operator has named is relayed to, but not by tunnel', LIMIT, async (t) => {
  for (const [what, manner] of Object.entries(STRANGERS).filter(([name]) =>
    name.startsWith('a web server'),
  )) {
    const target = await stranger(t, manner);
    const { route } = await testChain(t, 2, { ...SILENCE, allowHops: ['127.0.0.1'] }, TIMES);
    const socket = await rawConnect(t, route[0] as HostHop);
    const replied = once(socket, 'data');
    const ended = readToEnd(socket);
    socket.write(requestOf([...route, target.hop], '/', UPGRADE));
    await replied;
    socket.write(COMMANDS);
    assertOnlyError((await ended).bytes.toString(), what);
    assert.equal(target.got.length, 1);
    assertOnlyHead(target.got[0] ?? '');
  }
});

test(
  'bytes that do not wait for the 101 end the connection, at relays and at the origin',
  LIMIT,
  async (t) => {
    const { route } = await testChain(t, 3);
    for (const length of [1, 2, 3]) {
      const request = requestOf(route.slice(0, length), '/', UPGRADE) + COMMANDS;
      const { bytes, how } = await exchange(t, route[0] as HostHop, request);
      const reply = parseReply(bytes);
      assert.deepEqual([reply.status, how], [400, 'end']);
      const { code, detail } = problemOf(reply);
      assert.deepEqual(
        [code, detail.replace(/^hop \d: /, '')],
        ['BAD_REQUEST', 'the client sent bytes before the tunnel was built'],
      );
    }
  },
);

const BAD_HELLOS: Readonly<Record<string, readonly string[]>> = {
  'no base64': ['Viaduct-Hello: !!!!'],
  'base64 of URLs': [`Viaduct-Hello: ${Buffer.from([0x16, 0xff, 0xff, 0xff]).toString('base64url')}`],
  'without padding': [helloField(DISGUISED.subarray(0, 4)).replace(/=+$/, '')],
  'with blanks': [helloField(DISGUISED).replace(/.{8}$/, ' $&')],
  empty: ['Viaduct-Hello:'],
  'other first byte': [helloField(Buffer.from(COMMANDS))],
  'too long': [helloField(Buffer.concat([DISGUISED, Buffer.alloc(4097 - DISGUISED.length)]))],
  twice: [helloField(DISGUISED), helloField(DISGUISED)],
};

test('a hello that is none is refused by the origin and by each relay, before it dials', LIMIT, async (t) => {
  const [relay, origin] = [await testNode(t), await testNode(t)];
  for (const [what, fields] of Object.entries(BAD_HELLOS)) {
    const lonely = await lonelyServer(t);
    for (const route of [[origin.hop], [relay.hop, lonely.hop]]) {
      const [first] = route;
      assert.ok(first);
      const { bytes } = await exchange(t, first, requestOf(route, '/', [...UPGRADE, ...fields]));
      const reply = parseReply(bytes);
      assert.equal(reply.status, 400, what);
      assert.deepEqual(problemOf(reply).detail, 'hop 1: Viaduct-Hello is no ClientHello', what);
    }
    await lonely.assertNotDialled();
  }
});

test('a hello of 4 KiB passes relays as the field that it is', LIMIT, async (t) => {
  const { route } = await testChain(t, 2);
  const target = await stranger(t, STRANGERS['a web server: 200'] ?? {});
  const field = helloField(Buffer.concat([DISGUISED, Buffer.alloc(4096 - DISGUISED.length, 1)]));
  await exchange(t, route[0] as HostHop, requestOf([...route, target.hop], '/', [...UPGRADE, field]));
  assert.deepEqual(
    target.got[0]?.split('\r\n').filter((line) => line.startsWith('Viaduct-Hello')),
    [field],
  );
});

test('what comes behind a refused request for a tunnel is never answered', LIMIT, async (t) => {
  const node = await testNode(t, { allowHops: ['10.0.0.1'] });
  const another = requestOf([node.hop], '/');
  for (const [request, status] of [
    [requestOf([node.hop], '/', [...UPGRADE, 'Service-Worker: script']), 403],
    [requestOf([node.hop, { host: '127.0.0.1', port: 9 }], '/', UPGRADE), 403],
  ] as const) {
    const early = await exchange(t, node.hop, request + another);
    const { code, detail } = problemOf(parseReply(early.bytes));
    assert.deepEqual(
      [code, detail],
      ['BAD_REQUEST', 'hop 1: the client sent bytes before the tunnel was built'],
    );
    assert.equal(early.how, 'end');

    const socket = await rawConnect(t, node.hop);
    const ended = readToEnd(socket);
    const replied = once(socket, 'data');
    socket.write(request);
    await replied;
    socket.write(another);
    const { bytes, how } = await ended;
    assert.deepEqual([parseReply(bytes).status, how], [status, 'end']);
    assert.deepEqual(bytes.toString().match(/^HTTP\/1\.1 /gm)?.length, 1);
  }
});
