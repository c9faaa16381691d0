import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, get } from 'node:http';
import { type TestContext, test } from 'node:test';
import { type GatewayEvent, openGateway } from 'viaduct';
import { type Fault, faultProxy } from '../support/fault-proxy.js';
import { freezingProxy } from '../support/freezing-proxy.js';
import { ask, testGateway } from '../support/gateway.js';
import { TRUSTED } from '../support/identity.js';
import { testNode } from '../support/nodes.js';
import { randomFile, tempFolder } from '../support/temp.js';

const MIB = 1024 * 1024;

async function fileAtOrigin(t: TestContext) {
  const root = tempFolder(t);
  const bytes = randomFile(root, 'file', 8 * MIB);
  return { bytes, origin: await testNode(t, { root }) };
}

/** Reads the head of a reply. */
async function begun(url: string): Promise<IncomingMessage> {
  const request = get(url, { agent: false });
  const [reply] = (await once(request, 'response')) as [IncomingMessage];
  return reply;
}

test('connections over the route that have gone dead while nobody asked cost one request its time limit', async (t) => {
  const { bytes, origin } = await fileAtOrigin(t);
  const proxy = await freezingProxy(t, origin.hop);
  const gateway = await testGateway(t, { route: [proxy.hop], path: '/file' }, { timeoutMs: 500 });
  // As those of a browser, all at the same time.
  const replies = await Promise.all([1, 2, 3].map(() => begun(gateway.url)));
  for (const reply of replies) assert.ok(Buffer.concat((await reply.toArray()) as Buffer[]).equals(bytes));
  proxy.freeze();
  assert.equal((await ask(gateway.url)).status, 504);
  assert.equal((await ask(gateway.url)).status, 200);
});

/** After 3 MiB, and then each time after so much that there is some progress. */
function againAndAgain(connection: number): Fault {
  return { kind: 'reset', at: connection === 0 ? 3 * MIB : MIB / 32 };
}

test('a reply that breaks again and again where all hops answer waits as it says', async (t) => {
  const { origin } = await fileAtOrigin(t);
  const proxy = await faultProxy(t, origin.hop, againAndAgain);
  const retries: { readonly at: number; readonly pauseMs: number }[] = [];
  const enough = new AbortController();
  const onEvent = (event: GatewayEvent): void => {
    if (event.type === 'retry') retries.push({ at: performance.now(), pauseMs: event.pauseMs });
    if (retries.length === 5) enough.abort();
  };
  const gateway = await openGateway({ route: [proxy.hop], path: '/file' }, { ...TRUSTED, onEvent });
  t.after(() => gateway.close());
  const reply = await begun(gateway.url);
  reply.resume().on('error', () => {}); // It is cut off with the gateway.
  await once(enough.signal, 'abort');
  for (const [index, { at, pauseMs }] of retries.slice(0, -1).entries()) {
    const waited = (retries[index + 1]?.at ?? NaN) - at;
    assert.ok(waited > pauseMs - 10, `retry ${index + 1} waited ${waited} ms of ${pauseMs}`);
  }
});
