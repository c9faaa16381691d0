import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { INTERIM_REPLIES } from '#src/wire/http/reply.js';
import { exchange } from '../support/raw.js';
import { relayTo } from '../support/relayed.js';
import { ask, get, headOf, repliesIn } from '../support/wire-replies.js';

const OK = 'HTTP/1.1 200 OK\r\nViaduct: 1\r\n';

describe('interim replies (RFC 9110 §15.2)', () => {
  const FINAL = `${OK}Content-Length: 4\r\n\r\nbody`;
  const HINTS =
    'HTTP/1.1 103 Early Hints\r\nLink: <x>\r\nConnection: X-Hop\r\nX-Hop: 1\r\nSet-Cookie: a=b\r\n';

  test('of nodes are passed on, without their fields', async (t) => {
    const { relay, path } = await relayTo(t, (socket) =>
      socket.end(`HTTP/1.1 100 Continue\r\nViaduct: 1\r\n\r\n${HINTS}Viaduct: 1\r\n\r\n${FINAL}`),
    );
    const { bytes } = await exchange(t, relay.hop, get(path));
    const [first, hints, last, ...others] = repliesIn(bytes);
    assert.deepEqual(others, []);
    assert.deepEqual(
      [first?.status, hints?.status, last?.status, last?.body.toString()],
      [100, 103, 200, 'body'],
    );
    assert.deepEqual(hints?.fields, { via: '1.1 viaduct', viaduct: '1' });
  });

  test('of anybody else, and for HTTP/1.0 clients, are not', async (t) => {
    const { relay, path } = await relayTo(t, (socket) => socket.end(`${HINTS}\r\n${FINAL}`));
    assert.equal((await ask(t, relay.hop, get(path))).status, 200);
    const node = await relayTo(t, (socket) => socket.end(`${HINTS}Viaduct: 1\r\n\r\n${FINAL}`));
    assert.equal((await ask(t, node.relay.hop, headOf(`GET ${node.path} HTTP/1.0`))).status, 200);
  });

  // Each of them cost a search through all that had arrived: 4 MB of them kept a node busy for 22 s.
  test('without end are refused after the 32nd', async (t) => {
    const { relay, path } = await relayTo(t, (socket) => {
      const more = (): void => {
        for (;;) if (!socket.write(`${HINTS}\r\n`)) break;
      };
      socket.on('drain', more);
      more();
    });
    const reply = await ask(t, relay.hop, get(path));
    assert.equal(reply.status, 502);
    assert.match(reply.body.toString(), /hop 2 \([^)]*\) sent too many interim replies/);
  });

  test('up to 32 of them are passed on', async (t) => {
    const { relay, path } = await relayTo(t, (socket) => {
      socket.end(`${`${HINTS}Viaduct: 1\r\n\r\n`.repeat(INTERIM_REPLIES)}${FINAL}`);
    });
    const { bytes } = await exchange(t, relay.hop, get(path));
    assert.equal(bytes.toString('latin1').split('HTTP/1.1 103').length - 1, INTERIM_REPLIES);
  });
});
