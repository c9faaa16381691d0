import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect } from 'node:tls';
import { type HostHop, formatInput } from 'viaduct';
import { parseReply, problemOf, requestOf } from '../support/http.js';
import { testNode } from '../support/nodes.js';
import { exchange, lonelyServer, rawConnect, readToEnd } from '../support/raw.js';
import { closed } from '../support/streams.js';
import { secureChain } from '../support/tunnels.js';

// What a node does at the end of a tunnel: one tunnel is one connection per hop, and carries one client's requests.

const LIMIT = { timeout: 60_000 };
const UPGRADE = ['Connection: Upgrade', 'Upgrade: viaduct'];
const TEXT = 'the content';

/** A socket that has got its 101. */
async function openTunnel(t: TestContext, route: readonly HostHop[]): Promise<Socket> {
  const socket = await rawConnect(t, route[0] as HostHop);
  socket.write(requestOf(route, '/', UPGRADE));
  const [head] = (await once(socket, 'data')) as [Buffer];
  socket.pause();
  assert.match(head.toString(), /^HTTP\/1\.1 101 .*\r\n\r\n$/s);
  return socket;
}

/** The same in TLS. */
async function openSecureTunnel(t: TestContext, route: readonly HostHop[]): Promise<Socket> {
  const socket = connect({ socket: await openTunnel(t, route), rejectUnauthorized: false });
  socket.on('error', () => {});
  t.after(() => socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
}

const CARRIERS = { plain: openTunnel, 'in TLS': openSecureTunnel } as const;

async function send(socket: Socket, text: string): Promise<Buffer> {
  const ended = readToEnd(socket);
  socket.write(text);
  return (await ended).bytes;
}

async function chainWithFile(t: TestContext, relays: number) {
  const chain = await secureChain(t, relays, {}, { lingerMs: 300, quietAfterLineMs: 100, quietMs: 200 });
  writeFileSync(join(chain.root, 'file'), TEXT);
  return chain;
}

function assertRefused(bytes: Buffer, why: string): void {
  const reply = parseReply(bytes);
  assert.equal(reply.status, 400);
  const { code, detail } = problemOf(reply);
  assert.equal(code, 'BAD_REQUEST');
  assert.equal(detail.replace(/^hop \d+: /, ''), why);
}

const NO_HOPS = 'hops inside a tunnel are not relayed';

/** As an original client asks for the file. */
function message(hops: readonly HostHop[]): string {
  return `${formatInput({ name: 'file', route: hops })}\n`;
}

for (const relays of [0, 1, 2]) {
  for (const [how, open] of Object.entries(CARRIERS)) {
    test(`a tunnel over relays (${relays}), ${how}, brings to one node and no further`, LIMIT, async (t) => {
      const { route, origin } = await chainWithFile(t, relays);
      const file = parseReply(await send(await open(t, route), requestOf([origin.hop], '/file')));
      assert.deepEqual([file.status, file.body.toString()], [200, TEXT]);

      const { hop, assertNotDialled } = await lonelyServer(t);
      for (const path of ['/file', '/', '/folder/']) {
        const request = requestOf([origin.hop, hop], path);
        assertRefused(await send(await open(t, route), request), NO_HOPS);
      }
      // Without the slash a relay would redirect.
      const bare = requestOf([origin.hop], `/@127.0.0.1:${hop.port}`);
      assertRefused(await send(await open(t, route), bare), NO_HOPS);
      assertRefused(await send(await open(t, route), requestOf([origin.hop, hop], '/', UPGRADE)), NO_HOPS);
      const itself = requestOf([origin.hop, origin.hop], '/file');
      assertRefused(await send(await open(t, route), itself), NO_HOPS);
      assertRefused(
        await send(await open(t, route), requestOf([origin.hop], '/', UPGRADE)),
        'a tunnel ends here already',
      );
      await assertNotDialled();
    });

    test(`a further request over relays (${relays}), ${how}, is held to the same`, LIMIT, async (t) => {
      const { route, origin } = await chainWithFile(t, relays);
      const { hop, assertNotDialled } = await lonelyServer(t);
      const first = requestOf([origin.hop], '/file', []);
      const bytes = await send(await open(t, route), first + requestOf([origin.hop, hop], '/file', []));
      const second = bytes.lastIndexOf('HTTP/1.1 ');
      assert.ok(second > 0, bytes.toString());
      assertRefused(bytes.subarray(second), NO_HOPS);
      await assertNotDialled();
    });
  }

  test(`the classic dialect over relays (${relays}) serves and does not relay`, LIMIT, async (t) => {
    const { route, origin } = await chainWithFile(t, relays);
    const { hop, assertNotDialled } = await lonelyServer(t);
    assert.equal((await send(await openTunnel(t, route), message([]))).toString(), TEXT);
    const socket = await openTunnel(t, route);
    const ended = readToEnd(socket);
    socket.write(message([hop]));
    assert.deepEqual(await ended, { bytes: Buffer.alloc(0), how: 'reset' });
    const errors = origin.events.flatMap((event) => ('error' in event ? [event.error] : []));
    assert.deepEqual(
      errors.map((error) => (error as Error).message),
      [NO_HOPS],
    );
    await assertNotDialled();
  });
}

test('TLS inside TLS is not served, in a tunnel or not', LIMIT, async (t) => {
  const { route } = await chainWithFile(t, 1);
  for (const over of [route, route.slice(1)]) {
    const socket = await openSecureTunnel(t, over);
    const inner = connect({ socket, rejectUnauthorized: false });
    inner.on('error', () => {});
    inner.once('secureConnect', () => assert.fail('TLS inside TLS'));
    await closed(inner);
  }
});

test(
  'an upgrade with another method or version builds no tunnel, and dials nothing for one',
  LIMIT,
  async (t) => {
    const { route, origin } = await chainWithFile(t, 1);
    const [relay] = route;
    assert.ok(relay);
    const { hop, assertNotDialled } = await lonelyServer(t);
    for (const to of [[origin.hop], [relay, hop]]) {
      const first = to[0] as HostHop;
      for (const [method, status] of [
        ['HEAD', 400],
        ['POST', 405],
        ['CONNECT', 405],
      ] as const) {
        const { bytes } = await exchange(t, first, requestOf(to, '/', UPGRADE, method));
        assert.equal(parseReply(bytes).status, status, method);
      }
      const withBody = requestOf(to, '/', [...UPGRADE, 'Content-Length: 4']) + 'evil';
      assert.equal(parseReply((await exchange(t, first, withBody)).bytes).status, 400);
    }
    await assertNotDialled();
  },
);

test(
  'HTTP/1.0 has no upgrade, and one that Connection does not name is none (RFC 9110 §7.8)',
  LIMIT,
  async (t) => {
    const { route, origin } = await chainWithFile(t, 1);
    for (const to of [[origin.hop], route]) {
      const old = requestOf(to, '/file', UPGRADE).replace('HTTP/1.1', 'HTTP/1.0');
      const unnamed = requestOf(to, '/file', ['Upgrade: viaduct', 'Connection: close']);
      const other = requestOf(to, '/file', ['Upgrade: websocket, viaduct2', 'Connection: Upgrade, close']);
      for (const request of [old, unnamed, other]) {
        const { status, body } = parseReply((await exchange(t, to[0] as HostHop, request)).bytes);
        assert.deepEqual([status, body.toString()], [200, TEXT], request);
      }
    }
  },
);

test('an upgrade with fields about a file is a 101 without any', LIMIT, async (t) => {
  const node = await testNode(t, { root: '.' });
  const relay = await testNode(t);
  for (const route of [[node.hop], [relay.hop, node.hop]]) {
    const fields = [
      'Range: bytes=0-0',
      'If-None-Match: *',
      'If-Match: "x"',
      'Accept: text/html',
      'Expect: 100-continue',
    ];
    const socket = await rawConnect(t, route[0] as HostHop);
    socket.write(requestOf(route, '/package.json?x#y', [...fields, ...UPGRADE]));
    const [head] = (await once(socket, 'data')) as [Buffer];
    const lines = head.toString().split('\r\n');
    assert.equal(lines[0], 'HTTP/1.1 101 Switching Protocols');
    const names = new Set(lines.slice(1, -2).map((line) => line.split(':')[0]));
    names.delete('Via');
    assert.deepEqual(names, new Set(['Connection', 'Upgrade', 'Viaduct']));
  }
});
