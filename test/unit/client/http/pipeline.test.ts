import assert from 'node:assert/strict';
import { type TestContext, describe, test } from 'node:test';
import * as fc from 'fast-check';
import { asViaductError } from '#src/errors.js';
import { Pipeline } from '#src/client/http/pipeline.js';
import type { ReplyHead } from '#src/wire/http/head.js';
import { failureOf } from '../../../support/failures.js';
import { replyOf } from '../../../support/file-origin.js';
import { type Pair, closed, dialledPair, until } from '../../../support/streams.js';

const ROUTE = [{ host: '127.0.0.1', port: 1 }];

interface Taken {
  readonly replied: Promise<void>;
  readonly heads: ReplyHead[];
  readonly body: () => string;
}

async function pipelinePair(
  t: TestContext,
  limitMs = 60_000,
): Promise<Pair & { readonly pipeline: Pipeline }> {
  const pair = await dialledPair(t);
  return {
    ...pair,
    pipeline: new Pipeline({ stream: pair.stream, route: ROUTE, scheme: 'http' }, limitMs),
  };
}

function ask(pipeline: Pipeline, path: string): Taken {
  const heads: ReplyHead[] = [];
  const pieces: Buffer[] = [];
  const onBody = (piece: Buffer): void => void pieces.push(Buffer.from(piece));
  const replied = pipeline.send({ path, fields: [], onHead: (head) => heads.push(head), onBody });
  replied.catch(() => {}); // Looked at below.
  return { replied, heads, body: () => Buffer.concat(pieces).toString('latin1') };
}

function chunked(body: string): Buffer {
  const chunk = body === '' ? '' : `${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n`;
  return Buffer.from(`HTTP/1.1 200 OK\r\nViaduct: 1\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}0\r\n\r\n`);
}

const bodies = fc.array(fc.record({ body: fc.stringMatching(/^[a-z]{0,40}$/), isChunked: fc.boolean() }), {
  minLength: 1,
  maxLength: 12,
});

test('every reply goes to its own request, however the replies are cut', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      bodies,
      fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1 }),
      async (replies, sizes) => {
        const { pipeline, peer } = await pipelinePair(t);
        const taken = replies.map((_, index) => ask(pipeline, `/${index}`));
        const bytes = Buffer.concat(
          replies.map(({ body, isChunked }) => (isChunked ? chunked(body) : replyOf(200, {}, body))),
        );
        peer.setNoDelay(true);
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          peer.write(bytes.subarray(at, at + size));
          at += size;
          await new Promise(setImmediate);
        }
        await Promise.all(taken.map(({ replied }) => replied));
        assert.deepEqual(
          taken.map(({ body }) => body()),
          replies.map(({ body }) => body),
        );
        peer.destroy();
      },
    ),
    { numRuns: 40 },
  );
});

test('requests of one turn leave in one piece, in order', async (t) => {
  const { pipeline, peer } = await pipelinePair(t);
  const pieces: string[] = [];
  peer.on('data', (piece: Buffer) => pieces.push(piece.toString('latin1')));
  for (const path of ['/a', '/b', '/c']) ask(pipeline, path);
  await until(() => pieces.join('').split('\r\n\r\n').length === 4);
  assert.equal(pieces.length, 1);
  assert.deepEqual(pieces[0]?.match(/GET \S+/g), ['GET /a', 'GET /b', 'GET /c']);
});

describe('it ends, and all requests without a whole reply fail,', () => {
  for (const [what, code, reply] of [
    ['when the node closes', 'CUT_SHORT', (): Buffer | undefined => undefined],
    ['at a malformed reply', 'BAD_REPLY', () => Buffer.from('HTTP/1.1 200 OK\r\nViaduct:1\n\n')],
    [
      'at a reply without a known end',
      'BAD_REPLY',
      () => Buffer.from('HTTP/1.1 200 OK\r\nViaduct: 1\r\n\r\n'),
    ],
    ['at what is no node', 'NOT_A_NODE', () => Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')],
  ] as const) {
    test(what, async (t) => {
      const { pipeline, peer } = await pipelinePair(t);
      const [first, second, third] = ['/1', '/2', '/3'].map((path) => ask(pipeline, path));
      assert.ok(first && second && third);
      peer.write(replyOf(200, {}, 'one'));
      await first.replied;
      const bytes = reply();
      if (bytes === undefined) peer.end();
      else peer.write(bytes);
      for (const { replied } of [second, third]) assert.equal((await failureOf(replied)).code, code);
      assert.equal(pipeline.isOpen, false);
      assert.equal((await failureOf(ask(pipeline, '/4').replied)).code, 'CUT_SHORT');
      await closed(peer);
    });
  }

  test('when the node says nothing for too long', async (t) => {
    const { pipeline, peer } = await pipelinePair(t, 100);
    const first = ask(pipeline, '/1');
    peer.write(replyOf(200, {}, 'one'));
    await first.replied;
    const { replied } = ask(pipeline, '/2');
    assert.equal((await failureOf(replied)).code, 'TIMEOUT');
    await closed(peer);
  });

  test('after a reply that announces it', async (t) => {
    const { pipeline, peer } = await pipelinePair(t);
    const [first, second] = [ask(pipeline, '/1'), ask(pipeline, '/2')];
    peer.write(Buffer.concat([replyOf(200, { Connection: 'close' }, 'one'), replyOf(200, {}, 'two')]));
    await first.replied;
    assert.equal(first.body(), 'one');
    assert.equal((await failureOf(second.replied)).code, 'CUT_SHORT');
    assert.equal(second.heads.length, 0);
  });

  test('at bytes that nobody has asked for', async (t) => {
    const { pipeline, peer } = await pipelinePair(t);
    const first = ask(pipeline, '/1');
    peer.write(Buffer.concat([replyOf(200, {}, 'one'), Buffer.from('H')]));
    await first.replied;
    await closed(peer);
    assert.equal(pipeline.isOpen, false);
  });

  test('if the one that takes a reply throws', async (t) => {
    const { pipeline, peer } = await pipelinePair(t);
    const error = new Error('too long');
    const onHead = (): void => {
      throw error;
    };
    const first = pipeline.send({ path: '/', fields: [], onHead, onBody: () => {} });
    const second = ask(pipeline, '/2');
    peer.write(replyOf(200, {}, 'one'));
    await assert.rejects(first, error);
    await assert.rejects(second.replied, error);
  });
});

test('ended without a reply under way it hands its connection on, and with one it resets it', async (t) => {
  const idle = await pipelinePair(t);
  const session = idle.pipeline.end(new Error('over'));
  assert.equal(session?.stream, idle.stream);
  session?.stream.attach({ take: () => true, end: () => {} }).detach();

  const busy = await pipelinePair(t);
  const { replied } = ask(busy.pipeline, '/');
  assert.equal(busy.pipeline.end(asViaductError(new Error('over'))), undefined);
  await failureOf(replied);
  await closed(busy.peer);
});
