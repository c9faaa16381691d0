import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type GetEvent, get } from 'viaduct';
import { failureOf } from '../support/failures.js';
import { parseReply, requestOf } from '../support/http.js';
import { testNode } from '../support/nodes.js';
import { type Asked, numbered, partsOrigin, reply } from '../support/parts-origin.js';
import { exchange, rawConnect } from '../support/raw.js';
import { randomFile, sparseFile, tempFolder } from '../support/temp.js';

const MIB = 1024 * 1024;

test('a main stream that is retried writes where its bytes belong, whatever lanes have written meanwhile', async (t) => {
  const file = numbered(2.5 * MIB);
  let mains = 0;
  let waiting: Asked[] = [];
  let hasBroken = false;
  const bring = (asked: Asked): void => {
    const { head, body } = reply(file, asked);
    asked.socket.write(head);
    // The part where the main stream has broken off begins, and breaks off too.
    const breaks = asked.range?.[0] === MIB && !hasBroken;
    if (breaks) hasBroken = true;
    asked.socket.write(breaks ? body.subarray(0, body.length >> 1) : body);
    if (breaks) setTimeout(() => asked.socket.resetAndDestroy(), 300);
  };
  const location = await partsOrigin(t, file, (asked) => {
    if (asked.isPart) {
      if (mains > 1) bring(asked);
      else waiting.push(asked);
      return;
    }
    const { head, body } = reply(file, asked);
    mains += 1;
    if (mains === 1) {
      asked.socket.write(Buffer.concat([head, body.subarray(0, MIB)]));
      setTimeout(() => asked.socket.resetAndDestroy(), 300);
      return;
    }
    for (const part of waiting) bring(part);
    waiting = [];
    setTimeout(() => asked.socket.write(Buffer.concat([head, body])), 1000);
  });
  const target = join(tempFolder(t), 'file');
  await get(location, target, { plain: true, segments: 2, verify: false });
  assert.ok(readFileSync(target).equals(file));
});

for (const segments of [undefined, 4])
  test(`an origin that sends no ranges is asked once, segments ${segments}`, async (t) => {
    const file = Buffer.alloc(3 * MIB, 'y');
    let mains = 0;
    const location = await partsOrigin(t, file, ({ socket, isPart }) => {
      if (!isPart) mains += 1;
      const { head, body } = reply(file, { range: undefined, method: 'GET' });
      socket.write(head);
      let at = 0;
      const timer = setInterval(() => {
        socket.write(body.subarray(at, (at += 64 * 1024)));
        if (at >= body.length) clearInterval(timer);
      }, 40);
      socket.once('close', () => clearInterval(timer));
    });
    const target = join(tempFolder(t), 'file');
    const options = segments === undefined ? {} : { segments };
    await get(location, target, { plain: true, ...options });
    assert.ok(readFileSync(target).equals(file));
    assert.equal(mains, 1);
  });

test('an abort while a lane pauses ends the download', async (t) => {
  const file = Buffer.alloc(4 * MIB, 'x');
  const stop = new AbortController();
  const location = await partsOrigin(t, file, ({ socket, isPart, range, method }) => {
    if (isPart) return void socket.resetAndDestroy();
    const { head, body } = reply(file, { range, method });
    socket.write(Buffer.concat([head, body.subarray(0, MIB)]));
  });
  const onEvent = ({ type }: GetEvent): void => {
    if (type === 'progress') setTimeout(() => stop.abort(new Error('enough')), 300);
  };
  const target = join(tempFolder(t), 'file');
  await assert.rejects(
    get(location, target, { plain: true, segments: 3, signal: stop.signal, onEvent }),
    /enough/,
  );
});

test('a mirror with another file never takes the place of the file', async (t) => {
  const [file, other] = [Buffer.alloc(2 * MIB, 'A'), Buffer.alloc(1000, 'B')];
  let isDead = false;
  const first = await partsOrigin(t, file, (asked) => {
    const { head, body } = reply(file, asked);
    if (isDead || asked.isPart) return void asked.socket.resetAndDestroy();
    asked.socket.write(Buffer.concat([head, body.subarray(0, MIB)]));
    if (asked.method === 'HEAD') return;
    setTimeout(() => {
      isDead = true;
      asked.socket.resetAndDestroy();
    }, 300);
  });
  const mirror = await partsOrigin(t, other, (asked) => {
    const { head, body } = reply(other, asked, '"other"');
    asked.socket.write(Buffer.concat([head, body]));
  });
  const target = join(tempFolder(t), 'file');
  const error = await failureOf(get(first, target, { plain: true, also: [mirror], retries: 1 }));
  assert.equal(error.code, 'CUT_SHORT');
  assert.equal(readFileSync(`${target}.part`).length, MIB);
});

test('clients that leave at once take no place for digests of parts with them', async (t) => {
  const root = tempFolder(t);
  sparseFile(root, 'file', 4 * MIB);
  randomFile(root, 'small', 10);
  const { hop } = await testNode(t, { root });
  const want = ['Viaduct-Want-Part-Digests: sha-256', 'Connection: close'];
  for (let count = 0; count < 50; count += 1) {
    const client = await rawConnect(t, hop);
    client.write(requestOf([hop], '/file', want), () => {
      if (count % 2 === 0) client.resetAndDestroy();
      else setTimeout(() => client.resetAndDestroy(), count % 10);
    });
  }
  for (;;) {
    const { status, body } = parseReply((await exchange(t, hop, requestOf([hop], '/file', want))).bytes);
    if (status === 200) {
      assert.match(body.toString(), /"partBytes":1048576/);
      return;
    }
    // Those that have not left yet.
    assert.equal(status, 503);
  }
});
