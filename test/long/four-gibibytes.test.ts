import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { type Hash, createHash, randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, createReadStream, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatInput } from 'viaduct';
import { watchDescriptors } from '../support/leaks.js';
import { PROGRAM, processChain } from '../support/processes.js';
import { sparseFile, tempFolder } from '../support/temp.js';

const MIB = 2 ** 20;
const SIZE = 4 * 1024 * MIB;
const RELAYS = 4;
const MOST_RESIDENT = 150 * MIB;

/** Random bytes in every MiB, at another place in each, and holes between: a byte lost or moved shows. */
function patternFile(folder: string, name: string): string {
  const path = sparseFile(folder, name, SIZE);
  const file = openSync(path, 'r+');
  const stamp = Buffer.alloc(64 * 1024);
  for (let at = 0; at < SIZE; at += MIB) {
    randomFillSync(stamp);
    writeSync(file, stamp, 0, stamp.length, at + ((at / MIB) % 960) * 1024 + 1);
  }
  closeSync(file);
  return path;
}

async function digest(stream: AsyncIterable<Buffer>): Promise<{ sha256: string; bytes: number }> {
  const hash: Hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of stream) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { sha256: hash.digest('hex'), bytes };
}

test('4 GiB through 4 relays: no byte differs, and no node holds more than 150 MiB', async (t) => {
  const root = tempFolder(t);
  const path = patternFile(root, 'large');
  const { nodes, route } = await processChain(t, RELAYS + 1, { root });
  const released = watchDescriptors(...nodes);
  const folder = tempFolder(t);
  writeFileSync(join(folder, 'input.txt'), formatInput({ name: 'large', route }));
  const client = spawn(process.execPath, [PROGRAM, 'client', 'input.txt', '-o', '-'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.after(() => client.kill('SIGKILL'));
  const exit = once(client, 'exit');
  const received = await digest(client.stdout);
  assert.deepEqual(await exit, [0, null]);
  assert.equal(received.bytes, SIZE);
  assert.deepEqual(received, await digest(createReadStream(path, { highWaterMark: MIB })));
  for (const [index, node] of nodes.entries()) {
    const { peak } = node.memory;
    t.diagnostic(`node ${index + 1}: ${Math.round(peak / MIB)} MiB at its peak`);
    assert.ok(peak < MOST_RESIDENT, `node ${index + 1} had ${peak} bytes resident`);
  }
  await released();
});
