import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type Endpoint, peerUser } from '#src/system/peer-user.js';
import { rawConnect, rawServer } from '../../support/raw.js';

const skip = !existsSync('/proc/net/tcp') && 'the system does not show it';

/** A connection from an address of this machine. */
async function connected(t: TestContext, from: string) {
  const accepted: Socket[] = [];
  const { hop, server } = await rawServer(t, (socket) => accepted.push(socket));
  const client = await rawConnect(t, hop, from);
  if (accepted.length === 0) await once(server, 'connection');
  const [{ remoteAddress = '', remotePort = 0 } = assert.fail()] = accepted;
  const ends: [peer: Endpoint, own: Endpoint] = [{ host: remoteAddress, port: remotePort }, hop];
  return { client, accepted: accepted[0] ?? assert.fail(), ends };
}

for (const from of ['127.0.0.1', '127.0.0.2', '127.200.0.30'])
  test(`the user of who has connected from ${from}`, { skip }, async (t) => {
    const { ends } = await connected(t, from);
    assert.equal(await peerUser(...ends), process.getuid?.());
  });

test('a connection whose peer has closed it belongs to nobody, not to root', { skip }, async (t) => {
  const { client, accepted, ends } = await connected(t, '127.0.0.1');
  client.destroy();
  await once(accepted.resume(), 'end');
  assert.equal(await peerUser(...ends), 'gone');
});

test('no connection at all', async () => {
  const end = { host: '127.0.0.1', port: 1 };
  assert.equal(await peerUser(end, end), undefined);
});
