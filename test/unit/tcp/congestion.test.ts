import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { descriptorOf } from '#src/tcp/handle.js';
import { listen } from '#src/tcp/listen.js';
import { library } from '#src/system/library.js';
import { failureOf } from '../../support/failures.js';
import { rawConnect } from '../../support/raw.js';

/** netinet/tcp.h */
const [IPPROTO_TCP, TCP_CONGESTION] = [6, 13];
const OPTIONS = { host: '127.0.0.1', port: 0, backlog: 5 };

function congestionOf(fd: number): string {
  const libc = library();
  assert.ok(!('missing' in libc));
  const getsockopt = libc.func<
    (fd: number, level: number, option: number, value: Buffer, length: Int32Array) => number
  >('int getsockopt(int fd, int level, int option, void *value, void *length)');
  const value = Buffer.alloc(16);
  assert.equal(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, value, Int32Array.of(value.length)), 0);
  return value.toString().replace(/\0.*/s, '');
}

test('accepted connections have the congestion control of their listener', async (t) => {
  if ('missing' in library()) return t.skip('no system calls');
  const { server, address } = await listen({ ...OPTIONS, congestion: 'reno' });
  const accepted = once(server, 'connection');
  await rawConnect(t, { host: '127.0.0.1', port: address.port });
  const [socket] = (await accepted) as [Socket];
  assert.equal(congestionOf(descriptorOf(socket) ?? -1), 'reno');
  socket.destroy();
  server.close();
});

test('one that the kernel does not have is an error that names those that it has', async (t) => {
  if ('missing' in library()) return t.skip('no system calls');
  const error = await failureOf(listen({ ...OPTIONS, congestion: 'none-such' }));
  assert.equal(error.code, 'USAGE');
  assert.match(
    error.message,
    /^congestion control none-such cannot be used: this kernel does not have it, only .*\breno\b/,
  );
});
