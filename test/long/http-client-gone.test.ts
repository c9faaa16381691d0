import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import type { HostHop } from 'viaduct';
import { requestOf } from '../support/http.js';
import { settles, watchDescriptors } from '../support/leaks.js';
import { type NodeProcess, processChain } from '../support/processes.js';
import { rawConnect } from '../support/raw.js';
import { sparseFile, tempFolder } from '../support/temp.js';

const ROUND = 1000;
const AT_ONCE = 20;
/** Growth of a process between two rounds that is not growth: the heap is collected when it likes. */
const SLACK = 16 * 2 ** 20;

/** `count` clients that leave in mid-body, some at once. */
async function leaveInMidBody(t: TestContext, route: readonly HostHop[], count: number): Promise<void> {
  const [first] = route;
  assert.ok(first);
  const worker = async (): Promise<void> => {
    for (let request = 0; request < count / AT_ONCE; request += 1) {
      const client = await rawConnect(t, first);
      client.write(requestOf(route, '/endless'));
      await once(client, 'data');
      if (request % 2 === 0) client.destroy();
      else client.resetAndDestroy();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

function gone({ log }: NodeProcess): number {
  return log.filter(({ code }) => code === 'CLIENT_GONE').length;
}

function inMiB(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}

/** The least that a process's memory comes down to in some time. */
async function settledMemory(node: NodeProcess): Promise<number> {
  let least = Infinity;
  let unchanged = 0;
  await settles(
    () => {
      const { resident } = node.memory;
      unchanged = resident < least ? 0 : unchanged + 1;
      least = Math.min(least, resident);
      return unchanged;
    },
    (count) => count >= 100,
    () => 'it still comes down',
  );
  return least;
}

test('2,000 clients that leave in mid-body leave no descriptor and no growing memory at five hops', async (t) => {
  const root = tempFolder(t);
  sparseFile(root, 'endless', 2 ** 40);
  const { nodes, route } = await processChain(t, 5, { root });
  const released = watchDescriptors(...nodes);
  const ownReleased = watchDescriptors();
  const memory: number[][] = [];
  for (const round of [1, 2]) {
    await leaveInMidBody(t, route, ROUND);
    for (const node of nodes) await node.until((seen) => gone(seen) === round * ROUND);
    await released();
    await ownReleased();
    memory.push(await Promise.all(nodes.map(settledMemory)));
  }
  const [first = [], second = []] = memory;
  t.diagnostic(`after 1,000: ${first.map(inMiB).join(', ')}; after 2,000: ${second.map(inMiB).join(', ')}`);
  for (const [index, before] of first.entries())
    assert.ok((second[index] ?? Infinity) <= before + SLACK, `hop ${index + 1} grows`);
});
