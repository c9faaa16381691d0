import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type HostHop, type ProxyConfig, ViaductError, formatHop } from 'viaduct';
import { ProxyDialler } from '#src/proxy/dialler.js';
import type { ByteStream } from '#src/tcp/byte-stream.js';
import type { DialOptions } from '#src/tcp/dial.js';
import { type Lookup, Resolver } from '#src/tcp/resolver.js';
import { failureOf } from '../../support/failures.js';
import { watchDescriptors } from '../../support/leaks.js';
import { finds } from '../../support/lookups.js';
import { connectProxy, proxyAt, scriptedProxy } from '../../support/proxies.js';
import { rawServer } from '../../support/raw.js';
import { takesAll, until } from '../../support/streams.js';

const NAME: HostHop = { host: 'h1.example', port: 12_000 };
const permit = (): void => {};
const noLookup: Lookup = () => assert.fail('a name was looked up');

function dial(
  proxy: ProxyConfig,
  hop: HostHop,
  lookup: Lookup = noLookup,
  more: Partial<DialOptions> = {},
): Promise<ByteStream> {
  return new ProxyDialler(proxy, 'the proxy', new Resolver(lookup)).dial(hop, {
    label: 'the hop',
    timeoutMs: 20_000,
    signal: new AbortController().signal,
    ...more,
  });
}

describe('what a proxy is asked for', () => {
  test('a name, which it looks up itself; the stream leads there', async (t) => {
    const { hop: to } = await rawServer(t, () => {});
    const proxy = await connectProxy(t, { to });
    const stream = await dial(proxyAt(proxy.hop), NAME);
    assert.deepEqual(stream.remote, NAME);
    assert.deepEqual(proxy.targets, [formatHop(NAME)]);
    stream.reset();
  });

  test('an IPv6 address in brackets, without its zone', async (t) => {
    const { hop: to } = await rawServer(t, () => {});
    const proxy = await connectProxy(t, { to });
    for (const host of ['2001:db8::1', 'fe80::1%eth0'])
      (await dial(proxyAt(proxy.hop), { host, port: 1 })).reset();
    assert.deepEqual(proxy.targets, ['[2001:db8::1]:1', '[fe80::1]:1']);
  });

  test('with socks5 an address that was looked up here', async (t) => {
    const proxy = await scriptedProxy(t, ['\x05\x00', '\x05\x00\x00\x01\0\0\0\0\0\0']);
    const stream = await dial(proxyAt(proxy.hop, 'socks5'), NAME, finds('10.0.0.1'));
    assert.deepEqual(stream.remote, { host: '10.0.0.1', port: NAME.port });
    assert.equal(proxy.got(), '\x05\x01\x00\x05\x01\x00\x01\x0a\x00\x00\x01\x2e\xe0');
    stream.reset();
  });

  test('with socks5h the name', async (t) => {
    const proxy = await scriptedProxy(t, ['\x05\x00', '\x05\x00\x00\x01\0\0\0\0\0\0']);
    (await dial(proxyAt(proxy.hop, 'socks5h'), NAME)).reset();
    assert.equal(proxy.got(), '\x05\x01\x00\x05\x01\x00\x03\x0ah1.example\x2e\xe0');
  });

  test('user and password, for HTTP in Basic', async (t) => {
    const proxy = await scriptedProxy(t, ['HTTP/1.1 200 OK\r\n\r\n']);
    const login = { user: 'ü', password: 'p:q' };
    (await dial(proxyAt(proxy.hop, 'http', { login }), NAME)).reset();
    const basic = Buffer.from('ü:p:q').toString('base64');
    assert.equal(
      proxy.got(),
      `CONNECT h1.example:12000 HTTP/1.1\r\nHost: h1.example:12000\r\nProxy-Authorization: Basic ${basic}\r\n\r\n`,
    );
  });

  test('user and password, for SOCKS 5 only if it wants them', async (t) => {
    const login = { user: 'u', password: 'p' };
    const open = '\x05\x00\x00\x01\0\0\0\0\0\0';
    for (const [replies, sent] of [
      [['\x05\x02', '\x01\x00', open], '\x05\x02\x00\x02\x01\x01u\x01p'],
      [['\x05\x00', open], '\x05\x02\x00\x02'],
    ] as const) {
      const proxy = await scriptedProxy(t, replies);
      (await dial(proxyAt(proxy.hop, 'socks5h', { login }), { host: 'h', port: 1 })).reset();
      assert.equal(proxy.got(), `${sent}\x05\x01\x00\x03\x01h\x00\x01`);
    }
  });

  test('nothing, for a host of noProxy', async (t) => {
    const origin = await rawServer(t, () => {});
    const proxy = await connectProxy(t);
    const stream = await dial(proxyAt(proxy.hop, 'http', { noProxy: '127.0.0.0/8' }), origin.hop);
    assert.deepEqual(stream.remote, origin.hop);
    assert.deepEqual(proxy.targets, []);
    stream.reset();
  });
});

describe('the policy of a relay', () => {
  for (const scheme of ['http', 'socks5', 'socks5h'] as const)
    test(`is asked with all addresses, before the proxy, with ${scheme}`, async (t) => {
      const proxy = await scriptedProxy(t, []);
      const no = new ViaductError('PROHIBITED', 'no');
      let asked: readonly string[] = [];
      const refuse = (_: HostHop, addresses: readonly string[]): never => {
        asked = addresses;
        throw no;
      };
      const lookup = finds('10.0.0.1', '127.0.0.1');
      await assert.rejects(dial(proxyAt(proxy.hop, scheme), NAME, lookup, { permit: refuse }), no);
      assert.deepEqual([asked, proxy.connections()], [['10.0.0.1', '127.0.0.1'], 0]);
    });

  test('has the proxy asked for addresses that were checked, never for the name', async (t) => {
    const { hop: to } = await rawServer(t, () => {});
    const proxy = await connectProxy(t, { to });
    (await dial(proxyAt(proxy.hop), NAME, finds('10.0.0.1'), { permit })).reset();
    assert.deepEqual(proxy.targets, ['10.0.0.1:12000']);
  });
});

describe('several addresses', () => {
  const addresses = finds('10.0.0.1', '10.0.0.2', '2001:db8::1');
  test('are asked for in turn, until the proxy reaches one', async (t) => {
    const proxy = await connectProxy(t, { answer: (target) => (target.includes('[') ? '403 x' : '502 x') });
    const nothingOpen = watchDescriptors();
    const error = await failureOf(dial(proxyAt(proxy.hop), NAME, addresses, { permit }));
    assert.match(error.message, /answered 403/);
    assert.deepEqual(proxy.targets, ['10.0.0.1:12000', '[2001:db8::1]:12000']);
    await nothingOpen();
  });

  test('that all fail: the first error counts', async (t) => {
    const proxy = await connectProxy(t, { answer: (target) => `50${target.includes('.1:') ? 3 : 4} x` });
    const error = await failureOf(dial(proxyAt(proxy.hop), NAME, addresses, { permit }));
    assert.equal(error.message, 'the hop: the proxy answered 503 (x)');
    assert.equal(proxy.targets.length, 3);
  });

  test('share the limit, so that a silent one leaves time for the others', async (t) => {
    let silent = true;
    const proxy = await rawServer(t, (socket) => {
      if (!silent) return socket.end('HTTP/1.1 200 x\r\n\r\n');
      silent = false;
      return socket.resume();
    });
    const options = { permit, timeoutMs: 600 };
    (await dial(proxyAt(proxy.hop), NAME, addresses, options)).reset();
    assert.equal(silent, false);
  });

  test('without the one that was tried before', async (t) => {
    const { hop: to } = await rawServer(t, () => {});
    const proxy = await connectProxy(t, { to });
    (await dial(proxyAt(proxy.hop), NAME, addresses, { permit, except: '10.0.0.1' })).reset();
    assert.deepEqual(proxy.targets, ['10.0.0.2:12000']);
    await failureOf(dial(proxyAt(proxy.hop), NAME, noLookup, { except: NAME.host }));
    assert.equal(proxy.targets.length, 1, 'the proxy chooses the address of a name: there is no other');
  });
});

test('the stream comes out unread, with all bytes of the hop', async (t) => {
  const { hop: to } = await rawServer(t, (socket) => socket.once('data', () => socket.end('hello')));
  const proxy = await connectProxy(t, { to });
  const stream = await dial(proxyAt(proxy.hop), NAME);
  const received = stream.received;
  stream.attach(takesAll()).resume();
  stream.write(Buffer.from('x'));
  await until(() => stream.ended);
  assert.equal(stream.received - received, 5);
  stream.reset();
});
