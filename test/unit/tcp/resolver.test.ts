import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Resolver } from '#src/tcp/resolver.js';

/** The signal of a client that stays. */
function never(): AbortSignal {
  return new AbortController().signal;
}

/** A look-up under the test's control: it knows what was asked for, and answers when told to. */
class Names {
  readonly asked: string[] = [];
  readonly #open = new Map<string, { resolve: (found: string[]) => void; reject: (error: Error) => void }>();

  readonly lookup = (host: string): Promise<readonly string[]> => {
    this.asked.push(host);
    return new Promise((resolve, reject) => this.#open.set(host, { resolve, reject }));
  };

  answer(host: string, ...addresses: string[]): void {
    this.#open.get(host)?.resolve(addresses);
  }

  fail(host: string, error: Error): void {
    this.#open.get(host)?.reject(error);
  }
}

/** Long enough for everything that needs no outside event. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
}

describe('one client', () => {
  test('gets all addresses in their order', async () => {
    const names = new Names();
    const found = new Resolver(names.lookup).resolve('a', 'c1', never());
    await turns();
    names.answer('a', '::1', '127.0.0.1', '10.0.0.1');
    assert.deepEqual(await found, ['::1', '127.0.0.1', '10.0.0.1']);
  });

  test('has one look-up at work', async () => {
    const names = new Names();
    const resolver = new Resolver(names.lookup);
    const [a, b] = [resolver.resolve('a', 'c1', never()), resolver.resolve('b', 'c1', never())];
    await turns();
    assert.deepEqual(names.asked, ['a']);
    names.answer('a', '1.1.1.1');
    assert.deepEqual(await a, ['1.1.1.1']);
    await turns();
    assert.deepEqual(names.asked, ['a', 'b']);
    names.answer('b', '2.2.2.2');
    assert.deepEqual(await b, ['2.2.2.2']);
  });

  test('has the same name looked up once for all who wait for it', async () => {
    const names = new Names();
    const resolver = new Resolver(names.lookup);
    const all = Promise.all(['a', 'a', 'a'].map((host) => resolver.resolve(host, 'c1', never())));
    await turns();
    names.answer('a', '1.1.1.1');
    assert.deepEqual(await all, [['1.1.1.1'], ['1.1.1.1'], ['1.1.1.1']]);
    assert.deepEqual(names.asked, ['a']);
  });

  test('has a name looked up again later: an answer is not kept', async () => {
    const names = new Names();
    const resolver = new Resolver(names.lookup);
    for (const address of ['1.1.1.1', '2.2.2.2']) {
      const found = resolver.resolve('a', 'c1', never());
      await turns();
      names.answer('a', address);
      assert.deepEqual(await found, [address]);
    }
    assert.deepEqual(names.asked, ['a', 'a']);
  });

  test('gets the error, and so do all who wait; the next look-up goes on', async () => {
    const names = new Names();
    const resolver = new Resolver(names.lookup);
    const failing = [resolver.resolve('a', 'c1', never()), resolver.resolve('a', 'c1', never())];
    const next = resolver.resolve('b', 'c1', never());
    await turns();
    names.fail('a', new Error('no such name'));
    for (const one of failing) await assert.rejects(one, /no such name/);
    await turns();
    names.answer('b', '1.1.1.1');
    assert.deepEqual(await next, ['1.1.1.1']);
  });
});

describe('several clients', () => {
  test('a look-up that hangs for one does not hold up another', async () => {
    const names = new Names();
    const resolver = new Resolver(names.lookup);
    const hanging = resolver.resolve('hangs', 'c1', never());
    const quick = resolver.resolve('a', 'c2', never());
    await turns();
    assert.deepEqual(names.asked, ['hangs', 'a']);
    names.answer('a', '1.1.1.1');
    assert.deepEqual(await quick, ['1.1.1.1']);
    names.answer('hangs', '2.2.2.2');
    await hanging;
  });

  test('a name that hangs for one is looked up for the other', async () => {
    const names = new Names();
    const resolver = new Resolver(names.lookup);
    const both = [resolver.resolve('a', 'c1', never()), resolver.resolve('a', 'c2', never())];
    await turns();
    assert.deepEqual(names.asked, ['a', 'a']);
    names.answer('a', '1.1.1.1');
    assert.deepEqual(await both[1], ['1.1.1.1']);
  });
});

describe('giving up', () => {
  test('a signal that is aborted already asks nobody', async () => {
    const names = new Names();
    const reason = new Error('too late');
    const resolver = new Resolver(names.lookup);
    await assert.rejects(resolver.resolve('a', 'c1', AbortSignal.abort(reason)), reason);
    assert.deepEqual(names.asked, []);
  });

  test('the signal ends the wait with its reason, for this waiter alone', async () => {
    const names = new Names();
    const resolver = new Resolver(names.lookup);
    const controller = new AbortController();
    const leaving = resolver.resolve('a', 'c1', controller.signal);
    const staying = resolver.resolve('a', 'c1', never());
    await turns();
    const reason = new Error('gone');
    controller.abort(reason);
    await assert.rejects(leaving, reason);
    names.answer('a', '1.1.1.1');
    assert.deepEqual(await staying, ['1.1.1.1']);
  });

  test('a look-up that nobody waits for any more never starts', async () => {
    const names = new Names();
    const resolver = new Resolver(names.lookup);
    const controller = new AbortController();
    const first = resolver.resolve('first', 'c1', never());
    const left = ['x', 'y', 'x'].map((host) => resolver.resolve(host, 'c1', controller.signal));
    const last = resolver.resolve('last', 'c1', never());
    await turns();
    controller.abort(new Error('gone'));
    for (const one of left) await assert.rejects(one, /gone/);
    names.answer('first', '1.1.1.1');
    await first;
    await turns();
    assert.deepEqual(names.asked, ['first', 'last']);
    names.answer('last', '2.2.2.2');
    assert.deepEqual(await last, ['2.2.2.2']);
  });

  test('one that was given up and is wanted again before its turn does start', async () => {
    const names = new Names();
    const resolver = new Resolver(names.lookup);
    const controller = new AbortController();
    const first = resolver.resolve('first', 'c1', never());
    const left = resolver.resolve('a', 'c1', controller.signal);
    controller.abort(new Error('gone'));
    await assert.rejects(left, /gone/);
    const again = resolver.resolve('a', 'c1', never());
    names.answer('first', '1.1.1.1');
    await first;
    await turns();
    names.answer('a', '2.2.2.2');
    assert.deepEqual(await again, ['2.2.2.2']);
  });

  test('one that fails after everybody left disturbs nobody', async () => {
    const names = new Names();
    const resolver = new Resolver(names.lookup);
    const controller = new AbortController();
    const left = resolver.resolve('a', 'c1', controller.signal);
    await turns();
    controller.abort(new Error('gone'));
    await assert.rejects(left, /gone/);
    names.fail('a', new Error('no such name'));
    await turns();
    const next = resolver.resolve('b', 'c1', never());
    await turns();
    names.answer('b', '1.1.1.1');
    assert.deepEqual(await next, ['1.1.1.1']);
  });
});

test('localhost is found by the system (RFC 6761)', async () => {
  const resolver = new Resolver();
  const found = await resolver.resolve('localhost', 'c1', never());
  assert.ok(found.includes('127.0.0.1') || found.includes('::1'), found.join(' '));
});
