import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type GetEvent, type Location, get } from 'viaduct';
import { failureOf } from '../support/failures.js';
import { digestField, replyOf } from '../support/file-origin.js';
import { parseReply, requestOf } from '../support/http.js';
import { testNode } from '../support/nodes.js';
import { exchange, rawConnect, rawServer } from '../support/raw.js';
import { randomFile, sparseFile, tempFolder } from '../support/temp.js';

const MIB = 1024 * 1024;

interface Asked {
  readonly socket: Socket;
  readonly method: string;
  /** Undefined without `Range`; the end is included, as there. */
  readonly range: readonly [number, number] | undefined;
  /** It is for a part, not for the rest of the file. */
  readonly isPart: boolean;
}

/** A node of the test's own with one file. */
async function scripted(t: TestContext, file: Buffer, answer: (asked: Asked) => void): Promise<Location> {
  const { hop } = await rawServer(t, (socket) => {
    let text = '';
    socket.on('data', (bytes: Buffer) => {
      const heads = (text + bytes.toString('latin1')).split('\r\n\r\n');
      text = heads.pop() ?? '';
      for (const head of heads) {
        const [, start, end = ''] = /\r\nRange: bytes=(\d+)-(\d*)/i.exec(head) ?? [];
        const range =
          start === undefined
            ? undefined
            : ([Number(start), end === '' ? file.length - 1 : Number(end)] as const);
        answer({ socket, method: head.split(' ')[0] ?? '', range, isPart: /\r\nIf-Match:/i.test(head) });
      }
    });
  });
  return { route: [hop], path: '/file' };
}

/** The head of the right reply, and its body. */
function reply(
  file: Buffer,
  { range, method }: Pick<Asked, 'range' | 'method'>,
  etag = '"v"',
): { readonly head: Buffer; readonly body: Buffer } {
  const body = range === undefined ? file : file.subarray(range[0], range[1] + 1);
  const fields = {
    ETag: etag,
    'Accept-Ranges': 'bytes',
    'Repr-Digest': digestField(file),
    'Content-Length': body.length,
  };
  const part = range === undefined ? {} : { 'Content-Range': `bytes ${range[0]}-${range[1]}/${file.length}` };
  const head = replyOf(range === undefined ? 200 : 206, { ...fields, ...part });
  return { head, body: method === 'HEAD' ? Buffer.alloc(0) : body };
}

test('a main stream that is retried writes where its bytes belong, whatever lanes have written meanwhile', async (t) => {
  const file = Buffer.alloc(2.5 * MIB);
  for (let at = 0; at < file.length; at += 4) file.writeUInt32BE(at, at);
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
  const location = await scripted(t, file, (asked) => {
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

for (const { what, refuse } of [
  { what: 'that the origin refuses late, as of a file deleted meanwhile,', refuse: true },
  { what: 'that never begins', refuse: false },
])
  test(`a part ${what} is brought by the main stream`, async (t) => {
    const file = Buffer.alloc(4 * MIB, 'z');
    let mains = 0;
    let main: Socket | undefined;
    const location = await scripted(t, file, (asked) => {
      const { head, body } = reply(file, asked);
      if (!asked.isPart) {
        mains += 1;
        main = asked.socket;
        asked.socket.write(Buffer.concat([head, body.subarray(0, MIB)]));
        return;
      }
      // Now the main stream comes to the part before it is answered.
      main?.write(file.subarray(MIB));
      main = undefined;
      if (refuse) setTimeout(() => asked.socket.write(replyOf(404, {}, 'there is no file')), 500);
    });
    const target = join(tempFolder(t), 'file');
    await get(location, target, { plain: true, segments: 2 });
    assert.ok(readFileSync(target).equals(file));
    assert.equal(mains, 1);
  });

for (const segments of [undefined, 4])
  test(`an origin that sends no ranges is asked once, segments ${segments}`, async (t) => {
    const file = Buffer.alloc(3 * MIB, 'y');
    let mains = 0;
    const location = await scripted(t, file, ({ socket, isPart }) => {
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
  const location = await scripted(t, file, ({ socket, isPart, range, method }) => {
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
  const first = await scripted(t, file, (asked) => {
    const { head, body } = reply(file, asked);
    if (isDead || asked.isPart) return void asked.socket.resetAndDestroy();
    asked.socket.write(Buffer.concat([head, body.subarray(0, MIB)]));
    if (asked.method === 'HEAD') return;
    setTimeout(() => {
      isDead = true;
      asked.socket.resetAndDestroy();
    }, 300);
  });
  const mirror = await scripted(t, other, (asked) => {
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
