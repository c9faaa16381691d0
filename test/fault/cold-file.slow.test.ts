import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { fetchBytes } from '../support/fetch.js';
import { testNode } from '../support/nodes.js';
import { havePeer } from '../support/peers.js';
import { Child, NodeProcess } from '../support/processes.js';
import { randomFile, tempFolder } from '../support/temp.js';

const MIB = 1024 * 1024;
/** How long each read of a cold file blocks. */
const DELAY_S = 2;

// libuv has four threads for files. While reads block all of them, other files wait; relayed flows need none.
for (const [blocked, what, isFileServed] of [
  [2, 'half of the threads for files hold up neither other files nor relayed flows', true],
  [4, 'all threads for files do not hold up relayed flows', false],
] as const) {
  test(`reads that block ${what}`, async (t) => {
    if (!havePeer(t, 'strace')) return;
    const root = tempFolder(t);
    const cold = randomFile(root, 'cold', 256 * 1024);
    const warm = randomFile(root, 'warm', 2 * MIB);
    const node = await NodeProcess.start(t, { root });
    const further = await testNode(t, { root });
    // The kernel holds every read of this one file, as a disk that is asleep or far away would.
    const delay = `inject=pread64,read:delay_enter=${DELAY_S}s`;
    const filter = ['-P', join(root, 'cold'), '-e', 'trace=pread64,read', '-e', delay];
    const disk = new Child(t, 'strace', ['-f', '-p', String(node.pid), ...filter]);
    await disk.until(({ stderr }) => stderr.includes('attached'));

    const ended: string[] = [];
    const fetching = (name: string, expected: Buffer, route = [node.hop]): Promise<void> =>
      fetchBytes(name, route).then((bytes) => {
        assert.ok(bytes.equals(expected));
        ended.push(name);
      });
    const held = Array.from({ length: blocked }, () => fetching('cold', cold));
    await disk.until(({ stderr }) => stderr.includes('pread64('));
    for (let round = 0; round < 5; round += 1) {
      await Promise.all([
        fetching('warm', warm, [node.hop, further.hop]),
        ...(isFileServed ? [fetching('warm', warm)] : []),
      ]);
    }
    await Promise.all(held);
    assert.deepEqual(new Set(ended.slice(-blocked)), new Set(['cold']), 'the held files end last');
  });
}
