import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { type HostHop, formatHop } from 'viaduct';
import { testChain } from '../support/nodes.js';
import { exchange } from '../support/raw.js';
import { randomFile, tempFolder } from '../support/temp.js';
import { type StrictReply, ask, get, headOf, repliesIn } from '../support/wire-replies.js';

/** The origin itself, and the origin behind two relays. */
async function prepare(t: TestContext) {
  const root = tempFolder(t);
  const bytes = randomFile(root, 'file', 100_000);
  mkdirSync(join(root, 'many'));
  for (let index = 0; index < 500; index += 1) writeFileSync(join(root, 'many', `file ${index}`), '');
  const { nodes, route } = await testChain(t, 3, { root });
  const [first, ...others] = route;
  const origin = route.at(-1);
  assert.ok(first && origin);
  const via = others.map((hop) => `/@${formatHop(hop)}`).join('');
  const ways: readonly (readonly [string, HostHop, string])[] = [
    ['at the origin', origin, ''],
    ['behind two relays', first, via],
  ];
  return { bytes, nodes, ways };
}

const namesOf = ({ fields }: StrictReply): readonly string[] => Object.keys(fields).toSorted();

/** Every field that each reply of a node has. */
function assertOfNode(
  { fields }: StrictReply,
  sandbox = "sandbox allow-downloads; connect-src 'none'",
): void {
  assert.equal(fields['viaduct'], '1');
  assert.equal(fields['content-security-policy'], sandbox);
  assert.equal(fields['x-content-type-options'], 'nosniff');
  assert.equal(fields['referrer-policy'], 'no-referrer');
  assert.match(fields['date'] ?? '', /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/);
}

/** Only the page of a folder has a form. */
const FOLDER_SANDBOX = "sandbox allow-downloads allow-forms; connect-src 'none'; form-action 'self'";

describe('one reply each, at the origin and behind relays', () => {
  test('absolute form, whose authority overrides Host (RFC 9112 §3.2.2)', async (t) => {
    const { ways, bytes } = await prepare(t);
    for (const [, hop, via] of ways) {
      for (const authority of ['http://localhost', 'HTTP://127.0.0.1:1', 'https://[::1]:9']) {
        const reply = await ask(t, hop, get(`${authority}${via}/file`));
        assert.deepEqual([reply.status, reply.body], [200, bytes]);
        assertOfNode(reply);
      }
    }
  });

  test('a target that ends with a hop is redirected: the links of its page are relative', async (t) => {
    const { ways } = await prepare(t);
    for (const [, hop, via] of ways.filter(([, , hops]) => hops !== '')) {
      const last = via.slice(via.lastIndexOf('/') + 1);
      for (const [target, location] of [
        [via, `./${last}/`],
        [`${via}?q=/x`, `./${last}/?q=/x`],
        [`http://localhost${via}`, `./${last}/`],
      ] as const) {
        const { status, fields, body } = await ask(t, hop, get(target));
        assert.deepEqual([status, fields['location'], body.length], [301, location, 0]);
      }
      for (const target of [`${via}/`, `${via}/?/@h:1`, `${via}/.`]) {
        assert.equal((await ask(t, hop, get(target))).status, 200, target);
      }
    }
  });

  test('Host with any port of an own name, and an empty one', async (t) => {
    const { ways, bytes } = await prepare(t);
    for (const [, hop, via] of ways) {
      for (const host of ['', 'localhost:1', '[::1]']) {
        const request = headOf(`GET ${via}/file HTTP/1.1`, [`Host: ${host}`, 'Connection: close']);
        assert.deepEqual((await ask(t, hop, request)).body, bytes);
      }
    }
  });

  test('HEAD has the fields of GET and no content (RFC 9110 §9.3.2)', async (t) => {
    const { ways } = await prepare(t);
    for (const [, hop, via] of ways) {
      for (const path of ['/file', '/many/', '/missing', '/many', '/.viaduct/status', '/.hidden']) {
        const got = await ask(t, hop, get(`${via}${path}`));
        const head = await ask(t, hop, get(`${via}${path}`).replace('GET', 'HEAD'));
        assert.equal(head.body.length, 0);
        assert.deepEqual([head.status, namesOf(head)], [got.status, namesOf(got)], path);
        for (const name of ['etag', 'content-type', 'location', 'transfer-encoding']) {
          assert.equal(head.fields[name], got.fields[name]);
        }
        assertOfNode(head, path === '/many/' ? FOLDER_SANDBOX : undefined);
      }
    }
  });

  test('HTTP/1.0: no chunks, and the connection ends (RFC 9112 §6.1)', async (t) => {
    const { ways, bytes } = await prepare(t);
    for (const [, hop, via] of ways) {
      for (const fields of [[], ['Host: localhost'], ['Connection: keep-alive']]) {
        const file = await ask(t, hop, headOf(`GET ${via}/file HTTP/1.0`, fields));
        assert.deepEqual([file.body, file.fields['connection']], [bytes, 'close']);
        const listing = await ask(
          t,
          hop,
          headOf(`GET ${via}/many/ HTTP/1.0`, [...fields, 'Accept: application/json']),
        );
        assert.equal(listing.fields['transfer-encoding'], undefined);
        assert.equal(listing.fields['connection'], 'close');
        const { entries } = JSON.parse(listing.body.toString()) as { entries: unknown[] };
        assert.equal(entries.length, 500);
      }
    }
  });

  test('HTTP/1.1: a listing comes in chunks', async (t) => {
    const { ways } = await prepare(t);
    for (const [, hop, via] of ways) {
      const listing = await ask(t, hop, get(`${via}/many/`));
      assert.equal(listing.fields['transfer-encoding'], 'chunked');
      assert.match(listing.body.toString(), /^<!doctype html>[^]*file 499[^]*<\/html>\n$/);
      assertOfNode(listing, FOLDER_SANDBOX);
    }
  });

  test('HTTP/1.2 is answered as HTTP/1.1 (RFC 9110 §2.5)', async (t) => {
    const { ways, bytes } = await prepare(t);
    for (const [, hop, via] of ways) {
      const reply = await ask(t, hop, get(`${via}/file`).replace('HTTP/1.1', 'HTTP/1.2'));
      assert.deepEqual([reply.minor, reply.body], [1, bytes]);
    }
  });

  test('Expect: 100-continue on a request without content gets the final reply alone', async (t) => {
    const { ways, bytes } = await prepare(t);
    for (const [, hop, via] of ways) {
      const { bytes: all } = await exchange(t, hop, get(`${via}/file`, 'Expect: 100-continue'));
      assert.deepEqual(
        repliesIn(all).map(({ status, body }) => [status, body.length]),
        [[200, bytes.length]],
      );
    }
  });

  test('405 has Allow, and names the method', async (t) => {
    const { ways } = await prepare(t);
    for (const [, hop, via] of ways) {
      const reply = await ask(t, hop, headOf(`DELETE ${via}/file HTTP/1.1`));
      assert.deepEqual([reply.status, reply.fields['allow']], [405, 'GET, HEAD']);
      assert.match(reply.body.toString(), /hop 1: DELETE/);
      assertOfNode(reply);
    }
  });

  test('service workers get 403, whatever the field says', async (t) => {
    const { ways } = await prepare(t);
    for (const [, hop, via] of ways) {
      for (const field of ['Service-Worker: script', 'service-worker:', 'SERVICE-WORKER: x']) {
        const reply = await ask(t, hop, get(`${via}/file`, field));
        assert.equal(reply.status, 403);
        assertOfNode(reply);
      }
    }
  });

  test('a redirect is relative and keeps the route', async (t) => {
    const { ways } = await prepare(t);
    for (const [, hop, via] of ways) {
      const reply = await ask(t, hop, get(`${via}/many?x=1`));
      assert.equal(reply.status, 301);
      const location = new URL(reply.fields['location'] ?? '', `http://${formatHop(hop)}${via}/many?x=1`);
      assert.equal(location.pathname, `${via}/many/`);
      assert.equal((await ask(t, hop, get(location.pathname))).status, 200);
    }
  });
});

test('a relay says so in Via, once for each (RFC 9110 §7.6.3)', async (t) => {
  const { ways } = await prepare(t);
  const [, [, hop, via] = ['', { host: '', port: 0 }, '']] = ways;
  for (const path of ['/file', '/missing', '/many/', '/many']) {
    const { fields } = await ask(t, hop, get(`${via}${path}`));
    assert.equal(fields['via'], '1.1 viaduct, 1.1 viaduct');
  }
});
