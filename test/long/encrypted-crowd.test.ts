import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { get } from 'viaduct';
import { loadIdentity } from '#src/identity/identity.js';
import { watchDescriptors } from '../support/leaks.js';
import { NodeProcess } from '../support/processes.js';
import { randomFile, sha256, tempFolder } from '../support/temp.js';

const DOWNLOADS = 64;
const SIZE = 8 * 2 ** 20;
/** The slowest may take so much longer than the median. */
const FAIRNESS = 2;

test('64 encrypted downloads at once through two relays: each is right, and none is starved', async (t) => {
  const [root, state, target] = [tempFolder(t), tempFolder(t), tempFolder(t)];
  const digest = sha256(randomFile(root, 'file', SIZE));
  const { pin } = await loadIdentity(state, 'node');
  const start = (): Promise<NodeProcess> => NodeProcess.start(t, { root, args: ['--state', state] });
  const nodes = await Promise.all([start(), start(), start()]);
  const released = watchDescriptors(...nodes);
  const location = { route: nodes.map(({ hop }) => hop), path: '/file' };
  const checkKey = async (_route: unknown, presented: string): Promise<void> => assert.equal(presented, pin);
  const startedAt = performance.now();
  const download = async (_: unknown, index: number): Promise<number> => {
    const result = await get(location, join(target, `file-${index}`), { encryption: { checkKey } });
    assert.equal(result.sha256, digest);
    assert.equal(result.received, SIZE, 'in one attempt');
    return performance.now() - startedAt;
  };
  const times = await Promise.all(Array.from({ length: DOWNLOADS }, download));
  const sorted = times.toSorted((a, b) => a - b);
  const [median = 0, slowest = 0] = [sorted[DOWNLOADS / 2], sorted.at(-1)];
  t.diagnostic(`slowest ÷ median: ${(slowest / median).toFixed(2)}`);
  assert.ok(slowest <= FAIRNESS * median, `${slowest} ms, and a median of ${median} ms`);
  await released();
});
