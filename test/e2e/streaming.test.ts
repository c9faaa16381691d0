import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { processChain, startClient } from '../support/processes.js';
import { rawServer } from '../support/raw.js';
import { tempFolder } from '../support/temp.js';

const TEXT = 'each byte by itself.';

test('each byte reaches standard output through 4 relays before the next one is sent', async (t) => {
  const { hop, server } = await rawServer(t, (socket) => void socket.resume());
  const { route } = await processChain(t, 4);
  const connected = once(server, 'connection') as Promise<[Socket]>;
  const client = startClient(t, tempFolder(t), { name: 'x', route: [...route, hop] }, ['-o', '-']);
  const [origin] = await connected;
  for (let sent = 1; sent <= TEXT.length; sent += 1) {
    origin.write(TEXT.charAt(sent - 1));
    await client.until(({ stdout }) => stdout.length === sent);
  }
  origin.end();
  assert.equal(await client.ended, 0);
  assert.equal(client.stdout, TEXT);
  assert.match(client.stderr, /^The file got downloaded in the client\.$/m);
});
