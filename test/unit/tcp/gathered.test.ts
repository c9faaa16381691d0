import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gathered } from '#src/tcp/gathered.js';
import { type Verdict, readUntil } from '#src/tcp/read-until.js';
import { acceptedPair } from '../../support/streams.js';

test('what was gathered stays as it is when more is added', () => {
  const begin = Buffer.from('begin');
  const gathered = new Gathered(begin.subarray(0, 3));
  const seen = [gathered.bytes];
  for (const piece of ['', '1', '23', 'and a longer one', '4', '5']) {
    gathered.add(Buffer.from(piece));
    seen.push(gathered.bytes);
  }
  const texts = ['beg', 'beg', 'beg1', 'beg123'];
  for (const more of ['', '4', '45']) texts.push(`beg123and a longer one${more}`);
  assert.deepEqual(seen.map(String), texts);
  assert.equal(gathered.length, 24);
  assert.equal(begin.toString(), 'begin');
});

test('many small pieces are not copied again and again', async (t) => {
  const { stream, peer } = await acceptedPair(t);
  const pieces = 3000;
  const rooms = new Set<string>();
  const buffers: ArrayBufferLike[] = [];
  const all = readUntil<Buffer>(stream, {
    scan: (bytes): Verdict<Buffer> => {
      if (!buffers.includes(bytes.buffer)) buffers.push(bytes.buffer);
      rooms.add(`${buffers.indexOf(bytes.buffer)} ${bytes.byteOffset}`);
      if (bytes.length === pieces) return { value: bytes };
      // One byte at a time.
      peer.write('x');
      return {};
    },
    timeoutMs: 30_000,
    signal: AbortSignal.timeout(30_000),
    late: () => new Error('late'),
    gone: () => new Error('gone'),
  });
  peer.write('x');
  assert.equal((await all).toString(), 'x'.repeat(pieces));
  assert.ok(rooms.size < 20, `${rooms.size} times`);
});
