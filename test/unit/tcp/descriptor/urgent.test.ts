import assert from 'node:assert/strict';
import { test } from 'node:test';
import { library } from '#src/system/library.js';
import { descriptorOf } from '#src/tcp/handle.js';
import { acceptedByDescriptor, received } from '../../../support/streams.js';
import { sockets } from '#src/tcp/descriptor/sockets.js';

const skip = sockets() === undefined && 'no koffi';
/** bits/socket.h. */
const MSG_OOB = 1;

test('what follows urgent data is read too', { skip }, async (t) => {
  const libc = library();
  assert.ok(!('missing' in libc));
  const send = libc.func<(fd: number, bytes: Buffer, length: number, flags: number) => number>(
    'int64_t send(int fd, const void *bytes, size_t length, int flags)',
  );
  const { stream, peer } = await acceptedByDescriptor(t);
  const fd = descriptorOf(peer) ?? -1;
  for (const [text, flags] of [
    ['aaa', 0],
    ['U', MSG_OOB],
    ['ccc', 0],
  ] as const)
    assert.equal(send(fd, Buffer.from(text), text.length, flags), text.length);
  assert.equal((await received(stream, 6)).toString(), 'aaaccc');
});
