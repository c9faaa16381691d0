import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { messageOf } from '../support/fetch.js';
import { watchDescriptors } from '../support/leaks.js';
import { testChain } from '../support/nodes.js';
import { rawConnect, readToEnd } from '../support/raw.js';
import { randomFile, tempFolder } from '../support/temp.js';

for (const relays of [0, 1, 3]) {
  test(`a client that reads only when all is sent, and talks on, gets every byte over ${relays} relay(s)`, async (t) => {
    const root = tempFolder(t);
    // What the buffers of one connection take, so that the node is done before the first read.
    const file = randomFile(root, 'file', 400_000);
    const { nodes, route } = await testChain(t, relays + 1, { root });
    const [first] = nodes;
    assert.ok(first);
    const nothingOpen = watchDescriptors();
    const client = await rawConnect(t, first.hop);
    client.pause();
    client.write(`${messageOf('file', route.slice(1))}unread`);
    await first.event('completed');
    client.write('and more of it');
    const { bytes, how } = await readToEnd(client);
    assert.equal(how, 'end');
    assert.ok(bytes.equals(file));
    client.destroy();
    await nothingOpen();
  });

  test(`a slow reader that talks on gets every byte over ${relays} relay(s)`, async (t) => {
    const root = tempFolder(t);
    const file = randomFile(root, 'file', 5_000_000);
    const { nodes, route } = await testChain(t, relays + 1, { root });
    const [first] = nodes;
    assert.ok(first);
    const nothingOpen = watchDescriptors();
    const client = await rawConnect(t, first.hop);
    client.write(messageOf('file', route.slice(1)));
    const ended = once(client, 'end');
    const chunks: Buffer[] = [];
    client.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      client.pause();
      client.write('x');
      void turn().then(() => client.resume());
    });
    await ended;
    assert.ok(Buffer.concat(chunks).equals(file));
    client.destroy();
    await nothingOpen();
  });
}
