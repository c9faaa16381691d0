import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { get } from 'viaduct';
import { failureOf } from '../support/failures.js';
import { type Fault, faultProxy } from '../support/fault-proxy.js';
import { watchDescriptors } from '../support/leaks.js';
import { testChain } from '../support/nodes.js';
import { connectProxy, proxyAt } from '../support/proxies.js';
import { randomFile, tempFolder } from '../support/temp.js';
import { WIRES } from '../support/wires.js';

/** Bytes before the fault: within CONNECT and its reply (39 bytes), right behind them, and in the transfer. */
const PLACES = { up: [0, 10, 90], down: [0, 20, 38, 39, 1100, 20_000] };

for (const wire of WIRES)
  describe(wire.name, () => {
    test(
      'whatever happens to the first connection to the proxy, get ends with the whole file',
      { concurrency: 9 },
      async (t) => {
        const root = tempFolder(t);
        const bytes = randomFile(root, 'file', 300_000);
        const { route } = await testChain(t, 2, { root });
        const proxy = await connectProxy(t);
        const folder = tempFolder(t);
        const nothingOpen = watchDescriptors();
        const faults = (['reset', 'cut', 'split'] as const).flatMap((kind) =>
          (['up', 'down'] as const).flatMap((direction) =>
            PLACES[direction].map((at): Fault => ({ kind, direction, at })),
          ),
        );
        const tests = faults.map((fault, index) =>
          t.test(`${fault.kind} ${fault.direction} at ${fault.at}`, async (st) => {
            const healthy: Fault = { kind: 'split', at: Infinity };
            const broken = await faultProxy(st, proxy.hop, (connection) =>
              connection === 0 ? fault : healthy,
            );
            const target = join(folder, `file-${index}`);
            await get({ route, path: '/file' }, target, {
              ...wire.options,
              proxy: proxyAt(broken.hop),
              timeoutMs: 2000,
              retries: 3,
              retryConnect: true,
            });
            assert.ok(readFileSync(target).equals(bytes));
          }),
        );
        await Promise.all(tests);
        await nothingOpen();
      },
    );
  });

test('get resumes after a proxy that was down for a while, but not against its refusal', async (t) => {
  const root = tempFolder(t);
  const bytes = randomFile(root, 'file', 300_000);
  const { route } = await testChain(t, 2, { root });
  let answers = [undefined, '503 down', '502 down', undefined];
  const proxy = await connectProxy(t, { answer: () => answers.shift() });
  const broken = await faultProxy(t, proxy.hop, (connection) =>
    connection === 0 ? { kind: 'reset', at: 100_000 } : { kind: 'split', at: Infinity },
  );
  const options = { plain: true, proxy: proxyAt(broken.hop), retries: 3 };
  const target = join(tempFolder(t), 'copy');
  await get({ route, path: '/file' }, target, options);
  assert.ok(readFileSync(target).equals(bytes));
  assert.equal(answers.length, 0);
  answers = ['403 no', undefined];
  const error = await failureOf(get({ route, path: '/file' }, target, { ...options, retryConnect: true }));
  assert.equal(error.code, 'PROXY_ERROR');
  assert.equal(answers.length, 1, 'it asked again');
});
