import assert from 'node:assert/strict';
import { type TestContext, describe, test } from 'node:test';
import { type HostHop, ViaductError } from 'viaduct';
import { ATTEMPT_DELAY_MS } from '#src/tcp/connect-race.js';
import { ADDRESSES_DIALLED, type DialOptions, TcpDialler, interleave } from '#src/tcp/dial.js';
import { TcpStream } from '#src/tcp/stream.js';
import { type Lookup, Resolver } from '#src/tcp/resolver.js';
import { blackHole, refusingHop } from '../../support/black-hole.js';
import { watchDescriptors } from '../../support/leaks.js';
import { finds } from '../../support/lookups.js';
import { lonelyServer, rawServer } from '../../support/raw.js';
import { takesAll, until } from '../../support/streams.js';

/** Dials with a look-up of the test's own, no policy and a limit that no test reaches. */
async function dialled(
  t: TestContext,
  hop: HostHop,
  lookup: Lookup,
  more: Partial<DialOptions> = {},
): ReturnType<TcpDialler['dial']> {
  const stream = await new TcpDialler(new Resolver(lookup)).dial(hop, {
    label: 'the hop',
    timeoutMs: 20_000,
    signal: new AbortController().signal,
    client: 'c1',
    permit: () => {},
    ...more,
  });
  t.after(() => stream.close());
  return stream;
}

const noLookup: Lookup = () => assert.fail('an address was looked up');
const hangs: Lookup = () => new Promise(() => {});

describe('an address', () => {
  test('is dialled without look-up, and the stream arrives without a reader', async (t) => {
    const { hop } = await rawServer(t, (socket) => socket.end('hello'));
    const stream = await dialled(t, hop, noLookup);
    assert.equal(stream.received, 0);
    stream.attach(takesAll()).resume();
    await until(() => stream.ended);
    assert.equal(stream.received, 5);
  });

  test('goes through permit like a name', async (t) => {
    const { hop, assertNotDialled } = await lonelyServer(t);
    const no = new ViaductError('PROHIBITED', 'no');
    const permit = (): never => {
      throw no;
    };
    await assert.rejects(dialled(t, hop, noLookup, { permit }), no);
    await assertNotDialled();
  });
});

describe('a name', () => {
  test('is looked up once, and the addresses that were checked are those that are dialled', async (t) => {
    const { hop } = await rawServer(t, () => {});
    const answers = [['127.0.0.1'], ['127.0.0.2']]; // DNS rebinding: the second answer is another one.
    let asked = 0;
    const lookup: Lookup = async () => answers[asked++] ?? [];
    const checked: unknown[] = [];
    const permit = (target: HostHop, addresses: readonly string[]): void =>
      void checked.push(target, addresses);
    const stream = await dialled(t, { host: 'name', port: hop.port }, lookup, { permit });
    assert.equal(stream.remote.host, '127.0.0.1');
    assert.equal(asked, 1);
    assert.deepEqual(checked, [{ host: 'name', port: hop.port }, ['127.0.0.1']]);
  });

  test('that is prohibited is not dialled at any of its addresses', async (t) => {
    const { hop, assertNotDialled } = await lonelyServer(t);
    const no = new ViaductError('PROHIBITED', 'no');
    const permit = (_: HostHop, addresses: readonly string[]): void => {
      if (addresses.includes('169.254.169.254')) throw no;
    };
    const lookup = finds('127.0.0.1', '169.254.169.254');
    await assert.rejects(dialled(t, { host: 'name', port: hop.port }, lookup, { permit }), no);
    await assertNotDialled();
  });

  test('that does not resolve is a DNS_ERROR', async (t) => {
    for (const [code, message] of [
      ['ENOTFOUND', 'the hop does not resolve to an address'],
      ['EAI_AGAIN', 'the hop cannot be resolved now'],
    ] as const) {
      const cause = Object.assign(new Error('from the system'), { code });
      const hop = { host: 'name', port: 1 };
      await assert.rejects(
        dialled(t, hop, () => Promise.reject(cause)),
        { code: 'DNS_ERROR', hopAddress: 'name:1', message, cause },
      );
    }
  });

  test('without any address is unreachable', async (t) => {
    const lookup = finds();
    await assert.rejects(dialled(t, { host: 'name', port: 1 }, lookup), { code: 'UNREACHABLE' });
  });
});

describe('several addresses', () => {
  test('families take turns, beginning with the first', () => {
    assert.deepEqual(interleave(['::1', '::2', '::3', '1.1.1.1', '2.2.2.2']), [
      '::1',
      '1.1.1.1',
      '::2',
      '2.2.2.2',
      '::3',
    ]);
    assert.deepEqual(interleave(['1.1.1.1', '::1']), ['1.1.1.1', '::1']);
    assert.deepEqual(interleave(['1.1.1.1', '2.2.2.2']), ['1.1.1.1', '2.2.2.2']);
    assert.deepEqual(interleave([]), []);
  });

  test('the second one is dialled at once where the first refuses', async (t) => {
    const { hop } = await rawServer(t, () => {}); // Only at 127.0.0.1.
    const lookup = finds('127.0.0.9', '127.0.0.8', '127.0.0.1');
    const stream = await dialled(t, { host: 'name', port: hop.port }, lookup);
    assert.equal(stream.remote.host, '127.0.0.1');
  });

  test('all are checked, and at most 6 dialled: a hundred that hang cost no more', async (t) => {
    const hole = await blackHole(t);
    const tried: string[] = [];
    const dialling = TcpStream.dialling.bind(TcpStream);
    t.mock.method(TcpStream, 'dialling', (address: string) => {
      tried.push(address);
      return dialling(hole.host, hole.port, () => {});
    });
    const addresses = Array.from({ length: 100 }, (_, index) => `127.0.1.${index + 1}`);
    let checked: readonly string[] = [];
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const result = dialled(t, { host: 'name', port: 9 }, finds(...addresses), {
      permit: (_, found) => (checked = found),
    });
    result.catch(() => {});
    while (tried.length === 0) await new Promise(setImmediate);
    for (const _ of addresses) t.mock.timers.tick(ATTEMPT_DELAY_MS);
    assert.deepEqual(checked, addresses);
    assert.deepEqual(tried, addresses.slice(0, ADDRESSES_DIALLED));
    assert.equal(ADDRESSES_DIALLED, 6);
    await assert.rejects(result, { code: 'CONNECT_TIMEOUT' });
  });

  test('the seventh is not dialled, though it would answer', async (t) => {
    const { hop } = await rawServer(t, () => {}, { host: '127.0.1.7', port: 0 });
    const addresses = Array.from({ length: 7 }, (_, index) => `127.0.1.${index + 1}`);
    await assert.rejects(dialled(t, { host: 'name', port: hop.port }, finds(...addresses)), {
      code: 'REFUSED',
    });
  });

  test('the last of many prohibits all', async (t) => {
    const { hop, assertNotDialled } = await lonelyServer(t);
    const no = new ViaductError('PROHIBITED', 'no');
    const permit = (_: HostHop, addresses: readonly string[]): void => {
      if (addresses.includes('169.254.169.254')) throw no;
    };
    const lookup = finds(...Array.from({ length: 99 }, () => '127.0.0.1'), '169.254.169.254');
    await assert.rejects(dialled(t, { host: 'name', port: hop.port }, lookup, { permit }), no);
    await assertNotDialled();
  });

  test('the second one wins where the first is a black hole', async (t) => {
    const { port } = await blackHole(t);
    await rawServer(t, () => {}, { host: '127.0.0.2', port });
    const nothingLeft = watchDescriptors();
    const lookup = finds('127.0.0.1', '127.0.0.2');
    const stream = await dialled(t, { host: 'name', port }, lookup);
    assert.equal(stream.remote.host, '127.0.0.2');
    stream.reset();
    await nothingLeft(); // Nor of the attempt that lost.
  });
});

describe('a dial that fails', () => {
  test('refused', async (t) => {
    const hop = await refusingHop(t);
    await assert.rejects(dialled(t, hop, noLookup), {
      code: 'REFUSED',
      hopAddress: `127.0.0.1:${hop.port}`,
      message: 'the hop refused the connection',
    });
  });

  test('refused at all of several addresses', async (t) => {
    const { port } = await refusingHop(t);
    const lookup = finds('127.0.0.1', '127.0.0.2', '127.0.0.3');
    await assert.rejects(dialled(t, { host: 'name', port }, lookup), {
      code: 'REFUSED',
      hopAddress: `name:${port}`,
    });
  });

  test('no way there', async (t) => {
    // The kernel refuses to connect to broadcast; nothing leaves the machine.
    await assert.rejects(dialled(t, { host: '255.255.255.255', port: 9 }, noLookup), { code: 'UNREACHABLE' });
  });

  test('no answer in time', async (t) => {
    const hop = await blackHole(t);
    await assert.rejects(dialled(t, hop, noLookup, { timeoutMs: 100 }), {
      code: 'CONNECT_TIMEOUT',
      message: 'the hop did not answer within 0.1 s',
    });
  });

  test('no name in time', async (t) => {
    await assert.rejects(dialled(t, { host: 'name', port: 1 }, hangs, { timeoutMs: 50 }), {
      code: 'CONNECT_TIMEOUT',
      message: 'the hop was not resolved within 0.05 s',
    });
  });
});

describe('a dial that is aborted', () => {
  const reason = new Error('enough');

  test('before it begins', async (t) => {
    const { hop, assertNotDialled } = await lonelyServer(t);
    await assert.rejects(dialled(t, hop, noLookup, { signal: AbortSignal.abort(reason) }), reason);
    await assertNotDialled();
  });

  test('while the name is looked up', async (t) => {
    const controller = new AbortController();
    const lookup: Lookup = () => {
      setImmediate(() => controller.abort(reason));
      return hangs('');
    };
    await assert.rejects(
      dialled(t, { host: 'name', port: 1 }, lookup, { signal: controller.signal }),
      reason,
    );
  });

  test('while it waits for a black hole', async (t) => {
    const hop = await blackHole(t);
    const controller = new AbortController();
    const permit = (): void => void setImmediate(() => controller.abort(reason));
    await assert.rejects(dialled(t, hop, noLookup, { signal: controller.signal, permit }), reason);
  });
});
