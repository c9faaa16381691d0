import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Route, ViaductError, formatLocation, get, getAll } from 'viaduct';
import { request } from '#src/client/http/request.js';
import { Sessions } from '#src/client/http/sessions.js';
import { failureOf } from '../../../support/failures.js';
import { fileOrigin, honestReply, replyOf } from '../../../support/file-origin.js';
import { PIN, TRUSTED, trusting } from '../../../support/identity.js';
import { settles, watchDescriptors } from '../../../support/leaks.js';
import { testChain } from '../../../support/nodes.js';
import { randomFile, tempFolder } from '../../../support/temp.js';
import { ENCRYPTED } from '../../../support/wires.js';

const CONTENT = Buffer.from('content');

async function refusesFirst(checked: Route): Promise<void> {
  if (checked.length === 1) throw new ViaductError('UNKNOWN_HOST_KEY', 'the first hop is not known');
}

/** Options of requests that share connections. */
function sharing(t: TestContext) {
  const sessions = new Sessions();
  t.after(() => sessions.close());
  return { encryption: trusting(PIN), sessions, timeoutMs: 1000 };
}

test('a folder comes over a connection for each file at the same time, whatever its files are', async (t) => {
  const root = tempFolder(t);
  mkdirSync(join(root, 'sub'));
  for (let index = 0; index < 20; index += 1) writeFileSync(join(root, 'sub', String(index)), '');
  const { nodes, route } = await testChain(t, 2, { root });
  const nothingOpen = watchDescriptors();
  const item = { location: { route, path: '/' }, target: join(tempFolder(t), 'tree'), recursive: true };
  const listener = { event: () => {}, complete: () => {}, failed: () => {} };
  const { files } = await getAll([item], { ...TRUSTED, transfers: 3, onFile: () => listener });
  assert.equal(files, 20);
  for (const { events } of nodes) {
    const accepted = events.filter(({ type }) => type === 'accepted').length;
    assert.ok(accepted <= 3, `${accepted} connections`);
  }
  await nothingOpen();
});

test('an error reply does not end the connection', async (t) => {
  const { nodes, route } = await testChain(t, 2, { root: tempFolder(t) });
  const options = sharing(t);
  for (const method of ['GET', 'HEAD'] as const) {
    for (let count = 0; count < 3; count += 1) {
      const { code } = await failureOf(request({ route, path: '/none' }, { ...options, method }));
      assert.equal(code, 'NOT_FOUND');
    }
  }
  for (const { events } of nodes) assert.equal(events.filter(({ type }) => type === 'accepted').length, 1);
});

test('what is left of a file is requested over a kept connection', async (t) => {
  const root = tempFolder(t);
  const bytes = randomFile(root, 'file', 10_000);
  const { nodes, route } = await testChain(t, 2, { root });
  const options = sharing(t);
  const location = { route, path: '/file' };
  const reply = await request(location, { ...options, method: 'HEAD' });
  reply.close();
  const folder = tempFolder(t);
  writeFileSync(join(folder, 'file.part'), bytes.subarray(0, 4000));
  const sidecar = { source: formatLocation(location), etag: reply.field('etag'), size: bytes.length };
  writeFileSync(join(folder, 'file.part.json'), JSON.stringify(sidecar));
  const { received } = await get(location, join(folder, 'file'), options);
  assert.equal(received, 6000);
  assert.ok(readFileSync(join(folder, 'file')).equals(bytes));
  for (const { events } of nodes) assert.equal(events.filter(({ type }) => type === 'accepted').length, 1);
});

test('a kept connection that breaks before it answers is replaced, once', async (t) => {
  for (const [breaks, asks, code] of [
    [1, 3, undefined],
    [2, 3, 'CUT_SHORT'],
  ] as const) {
    const { location, asked } = await fileOrigin(
      t,
      (socket, request_, index) => {
        if (index > 0 && index <= breaks) socket.resetAndDestroy();
        else socket.write(honestReply(CONTENT, request_));
      },
      ENCRYPTED,
    );
    const options = sharing(t);
    const ask = async (): Promise<string> =>
      (await (await request(location, options)).bytes(100, 1000)).toString();
    assert.equal(await ask(), 'content');
    if (code === undefined) assert.equal(await ask(), 'content');
    else assert.equal((await failureOf(ask())).code, code);
    assert.equal(asked.length, asks);
  }
});

test('a kept connection that stays silent is no reason to ask again', async (t) => {
  const { location, asked } = await fileOrigin(
    t,
    (socket, request_, index) => void (index === 0 && socket.write(honestReply(CONTENT, request_))),
    ENCRYPTED,
  );
  const options = sharing(t);
  await (await request(location, options)).bytes(100, 1000);
  assert.equal((await failureOf(request(location, options))).code, 'TIMEOUT');
  assert.equal(asked.length, 2);
});

test('a connection is not kept after a part of a reply, nor if its host closes it', async (t) => {
  const sockets = new Set<Socket>();
  const { location } = await fileOrigin(
    t,
    (socket, _, index) => {
      sockets.add(socket);
      socket.write(replyOf(200, index === 0 ? {} : { Connection: 'close' }, CONTENT));
    },
    ENCRYPTED,
  );
  const options = sharing(t);
  (await request(location, options)).close();
  for (let count = 0; count < 2; count += 1) await (await request(location, options)).bytes(100, 1000);
  assert.equal(sockets.size, 3);
});

test('what comes on a kept connection without a question is no reply: the connection is dropped', async (t) => {
  const sockets: Socket[] = [];
  const { location, asked } = await fileOrigin(
    t,
    (socket, request_) => {
      sockets.push(socket);
      socket.write(honestReply(CONTENT, request_));
    },
    ENCRYPTED,
  );
  const options = sharing(t);
  for (let count = 0; count < 3; count += 1) {
    const reply = await request(location, options);
    assert.equal((await reply.bytes(100, 1000)).toString(), 'content');
    const socket = sockets.at(-1);
    assert.ok(socket);
    socket.write(replyOf(200, {}, 'forged!'));
    await settles(
      () => socket.destroyed,
      (isDropped) => isDropped,
      () => 'the connection is still kept',
    );
  }
  assert.equal(asked.length, 3);
});

test('a connection is kept for the same scheme only: with https:// the first hop is checked too', async (t) => {
  const { route } = await testChain(t, 2, { root: tempFolder(t) });
  const options = sharing(t);
  await (await request({ route, path: '/.viaduct/status' }, options)).bytes(10_000, 1000);
  const location = { route, path: '/.viaduct/status', scheme: 'https' } as const;
  const error = await failureOf(request(location, { ...options, encryption: { checkKey: refusesFirst } }));
  assert.equal(error.code, 'UNKNOWN_HOST_KEY');
});
