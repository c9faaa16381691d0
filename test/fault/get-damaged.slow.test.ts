import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type GetEvent, type HostHop, get } from 'viaduct';
import { failureOf } from '../support/failures.js';
import { testNode } from '../support/nodes.js';
import { rawServer } from '../support/raw.js';
import { randomFile, tempFolder } from '../support/temp.js';

const MIB = 1024 * 1024;
const SIZE = 64 * MIB;

/** Passes everything on, but inverts the bytes at some positions of what the target sends, counted over a connection. */
async function damagingProxy(
  t: TestContext,
  target: HostHop,
  isDamaged: (position: number, connection: number) => boolean,
  every: number,
): Promise<HostHop> {
  let connections = 0;
  const { hop } = await rawServer(t, (client) => {
    const connection = connections++;
    const upstream = connect({ ...target, allowHalfOpen: true });
    t.after(() => upstream.destroy());
    upstream.on('error', () => client.destroy());
    client.on('error', () => upstream.destroy());
    client.once('close', () => upstream.destroy());
    client.pipe(upstream);
    let at = 0;
    upstream.on('data', (chunk: Buffer) => {
      for (let position = Math.ceil(at / every) * every; position < at + chunk.length; position += every)
        if (isDamaged(position, connection)) chunk[position - at] = ~(chunk[position - at] ?? 0);
      at += chunk.length;
      if (!client.write(chunk)) {
        upstream.pause();
        client.once('drain', () => upstream.resume());
      }
    });
    upstream.on('end', () => client.end());
  });
  return hop;
}

test('only the damaged parts of a file are fetched again', async (t) => {
  const root = tempFolder(t);
  const content = randomFile(root, 'file', SIZE);
  const { hop } = await testNode(t, { root });
  // Not in the first bytes, which are the head.
  const proxy = await damagingProxy(
    t,
    hop,
    (position, connection) => position > 0 && connection === 0,
    10 * MIB,
  );
  const relay = await testNode(t);
  const folder = tempFolder(t);
  const target = join(folder, 'file');
  const events: GetEvent[] = [];
  const { received } = await get({ route: [relay.hop, proxy], path: '/file' }, target, {
    plain: true,
    segments: 1,
    onEvent: (event) => events.push(event),
  });
  assert.ok(readFileSync(target).equals(content));
  assert.ok(received > SIZE && received <= SIZE + 6 * MIB, `${received} bytes`);
  const damaged = events.filter(({ type }) => type === 'damaged');
  assert.deepEqual(damaged, [{ type: 'damaged', bytes: 6 * MIB, size: SIZE }]);
  assert.deepEqual(readdirSync(folder), ['file']);
});

test('a file that is damaged all over is given up', async (t) => {
  const root = tempFolder(t);
  randomFile(root, 'file', SIZE);
  const { hop } = await testNode(t, { root });
  const proxy = await damagingProxy(t, hop, (position) => position > 0, MIB / 2);
  const error = await failureOf(
    get({ route: [proxy], path: '/file' }, join(tempFolder(t), 'file'), {
      plain: true,
      segments: 1,
      retries: 0,
    }),
  );
  assert.equal(error.code, 'DIGEST_MISMATCH');
});
