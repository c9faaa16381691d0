import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { queryObjects } from 'node:v8';
import { ask, testGateway } from '../support/gateway.js';
import { testNode } from '../support/nodes.js';
import { rawConnect, readToEnd } from '../support/raw.js';
import { sparseFile, tempFolder } from '../support/temp.js';

/* What clients of the gateway leave behind, for other clients and in memory. */

const MIB = 1024 * 1024;
/** Requests that are answered at once. */
const TURNS = 32;

async function openedFolder(t: TestContext) {
  const root = tempFolder(t);
  sparseFile(root, 'large', 64 * MIB);
  writeFileSync(join(root, 'small'), 'a note');
  const origin = await testNode(t, { root });
  const gateway = await testGateway(t, { route: [origin.hop], path: '/' });
  const { host, hostname, port, pathname } = new URL(gateway.url);
  const get = (name: string): string => `GET ${pathname}${name} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
  return { gateway, origin, hop: { host: hostname, port: Number(port) }, get };
}

for (const name of ['large', 'small']) {
  test(`a client leaves that has sent many requests at once (${name}): others are answered`, async (t) => {
    const { gateway, hop, get } = await openedFolder(t);
    const socket = await rawConnect(t, hop);
    // Nothing is read: the replies wait behind the first one.
    socket.pause().write(get('large') + get(name).repeat(2 * TURNS));
    const replies = (): number => gateway.events.filter(({ type }) => type === 'reply').length;
    while (replies() < TURNS) await new Promise(setImmediate);
    socket.destroy();
    const answer = await ask(`${gateway.url}small`);
    assert.deepEqual([answer.status, answer.body.toString()], [200, 'a note']);
  });
}

test('requests leave nothing in memory', async (t) => {
  const { gateway } = await openedFolder(t);
  const askOften = async (times: number): Promise<number> => {
    for (let count = 0; count < times; count += 1) await ask(`${gateway.url}small`);
    return queryObjects(AbortSignal, { format: 'count' });
  };
  const before = await askOften(10);
  const grown = (await askOften(100)) - before;
  assert.ok(grown < 50, `${grown} signals more`);
});

test('clients that do not know the URL keep nobody else out', async (t) => {
  const { gateway, hop } = await openedFolder(t);
  const strangers = await Promise.all(Array.from({ length: 256 }, () => rawConnect(t, hop)));
  const shutOut = Promise.any(strangers.map(readToEnd));
  assert.equal((await ask(`${gateway.url}small`)).status, 200);
  await shutOut;
});
