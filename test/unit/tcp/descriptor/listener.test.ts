import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { acceptFrom } from '#src/tcp/accept.js';
import type { ByteStream } from '#src/tcp/byte-stream.js';
import { type Sockets, sockets } from '#src/tcp/descriptor/sockets.js';
import { listen } from '#src/tcp/listen.js';
import { settles } from '../../../support/leaks.js';
import { rawConnect, readToEnd } from '../../../support/raw.js';
import { closed } from '../../../support/streams.js';

const EMFILE = -24;
const ECONNABORTED = -103;

const own = sockets();
const skip = own === undefined && 'no koffi';

function ofProcess(): Sockets {
  assert.ok(own);
  return own;
}

const LOOPBACK = { host: '127.0.0.1', port: 0, backlog: 511 };

test('what is refused is reset, and what comes after the end is not accepted', { skip }, async (t) => {
  const { server, address } = await listen(LOOPBACK);
  const remotes: number[] = [];
  const close = acceptFrom(
    server,
    (incoming) => {
      remotes.push(incoming.remote.port);
      incoming.refuse();
    },
    ofProcess(),
  );
  const client = await rawConnect(t, { host: address.address, port: address.port });
  const { localPort } = client;
  assert.equal((await readToEnd(client)).how, 'reset');
  assert.deepEqual(remotes, [localPort]);
  await close();
  // Its number may be somebody else's by now: not closed a second time.
  const { server: other, address: there } = await listen(LOOPBACK);
  t.after(() => other.close());
  await close();
  await rawConnect(t, { host: there.address, port: there.port });
  const late = connect(address.port, '127.0.0.1');
  const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException];
  assert.equal(error.code, 'ECONNREFUSED');
});

test('without descriptors it rests, and then accepts what has come meanwhile', { skip }, async (t) => {
  const { calls, poller } = ofProcess();
  const answers = [EMFILE, ECONNABORTED];
  let asked = 0;
  const accept = (listener: number): number => {
    asked += 1;
    return answers.shift() ?? calls.accept(listener);
  };
  const { server, address } = await listen(LOOPBACK);
  const accepted: ByteStream[] = [];
  const close = acceptFrom(server, (incoming) => accepted.push(incoming.accept()), {
    poller,
    calls: { ...calls, accept },
  });
  t.after(close);
  await rawConnect(t, { host: address.address, port: address.port });
  await settles(
    () => accepted.length,
    (count) => count === 1,
    (count) => `${count} connections were accepted`,
  );
  for (const stream of accepted) stream.reset();
  // Asked once, and again after a pause: an end of descriptors does not keep the processor busy.
  assert.ok(asked <= 5, `asked ${asked} times`);
});

test('IPv6, and IPv4 on a socket for both, have their usual names', { skip }, async (t) => {
  const { server, address } = await listen({ host: undefined, port: 0, backlog: 511 });
  const hosts: string[] = [];
  const close = acceptFrom(
    server,
    (incoming) => {
      hosts.push(incoming.remote.host);
      incoming.refuse();
    },
    ofProcess(),
  );
  t.after(close);
  for (const host of ['127.0.0.1', '::1']) {
    const client = connect(address.port, host).on('error', () => {});
    await closed(client);
  }
  assert.deepEqual(hosts, ['127.0.0.1', '::1']);
});
