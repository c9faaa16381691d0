import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { systemCode } from '#src/errors.js';
import type { HostHop } from 'viaduct';
import { NodeProcess } from '../support/processes.js';
import { type Ending, exchange, rawConnect, readToEnd } from '../support/raw.js';
import { randomFile, sha256, sparseFile, tempFolder } from '../support/temp.js';

const MIB = 1024 * 1024;
/** More than the kernel keeps for one connection, so that a reader that waits holds its sender. */
const LARGE = 32 * MIB;

/** A node in the middle of sending a large file to a client that does not read yet. */
async function sending(
  t: TestContext,
  args: readonly string[] = [],
): Promise<{ readonly node: NodeProcess; readonly bytes: Buffer; readonly read: () => Promise<Ending> }> {
  const root = tempFolder(t);
  const bytes = randomFile(root, 'large', LARGE);
  const node = await NodeProcess.start(t, { root, args });
  const client = await rawConnect(t, node.hop);
  client.write('large\n\n');
  await node.until(({ lines }) => lines.includes('Working as a server in thread 0'));
  const reply = readToEnd(client);
  client.once('end', () => client.end());
  client.pause();
  const read = (): Promise<Ending> => {
    client.resume();
    return reply;
  };
  return { node, bytes, read };
}

async function stopping(node: NodeProcess): Promise<void> {
  await node.until(({ log }) => log.some(({ msg }) => msg === 'stopping'));
}

/** Waits until the node no longer listens. The log reports it slightly earlier, so connections may still succeed and are reset. */
async function refused(t: TestContext, hop: HostHop): Promise<void> {
  for (;;) {
    const code = await rawConnect(t, hop).then(() => '', systemCode);
    if (code === 'ECONNREFUSED') return;
  }
}

test('a connection above --max-connections is reset at once, logged, and gets no number', async (t) => {
  const root = tempFolder(t);
  const bytes = randomFile(root, 'file', 1000);
  sparseFile(root, 'large', 2 ** 30);
  const node = await NodeProcess.start(t, { root, args: ['--max-connections', '2'] });
  const held = [await rawConnect(t, node.hop), await rawConnect(t, node.hop)];
  for (const client of held) client.pause().write('large\n\n');
  await node.until(({ lines }) => lines.filter((text) => text.startsWith('Working')).length === 2);

  const third = connect(node.hop);
  t.after(() => third.destroy());
  assert.deepEqual(await readToEnd(third), { bytes: Buffer.alloc(0), how: 'reset' });
  const line = await node.until(({ log }) => log.find(({ msg }) => msg.startsWith('connection refused')));
  assert.equal(line['limit'], 2);
  assert.match(String(line['peer']), /^127\.0\.0\.1:\d+$/);

  held[0]?.destroy();
  await node.until(({ lines }) => lines.some((text) => text.startsWith('file sending in thread 0 failed: ')));
  assert.deepEqual((await exchange(t, node.hop, 'file\n\n')).bytes, bytes);
  await node.until(({ lines }) => lines.includes('file sending in thread 2 completed'));
  assert.deepEqual(
    node.lines.filter((text) => text.startsWith('creating')),
    ['creating new thread 0', 'creating new thread 1', 'creating new thread 2'],
  );
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} lets a running transfer finish and accepts no new one; exit code 0`, async (t) => {
    const { node, bytes, read } = await sending(t);
    node.process.kill(signal);
    await stopping(node);
    await refused(t, node.hop);
    const reply = await read();
    assert.equal(reply.how, 'end');
    assert.equal(sha256(reply.bytes), sha256(bytes));
    assert.equal(await node.ended, 0);
    assert.equal(node.lines.at(-1), 'file sending in thread 0 completed');
    assert.equal(node.log.find(({ msg }) => msg === 'stopping')?.['signal'], signal);
  });
}

for (const [signal, code] of [
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const) {
  test(`a second signal, ${signal}, resets the remaining transfers; exit code ${code}`, async (t) => {
    const { node, read } = await sending(t);
    node.process.kill('SIGTERM');
    await stopping(node);
    node.process.kill(signal);
    assert.equal(await node.ended, code);
    assert.equal((await read()).how, 'reset');
    assert.equal(node.lines.at(-1), 'file sending in thread 0 failed: the node was stopped');
  });
}

test('a transfer that outlasts --grace is reset; exit code 0', async (t) => {
  const { node, read } = await sending(t, ['--grace', '0.2']);
  node.process.kill('SIGTERM');
  assert.equal(await node.ended, 0);
  assert.equal((await read()).how, 'reset');
  assert.equal(node.lines.at(-1), 'file sending in thread 0 failed: the node was stopped');
});

test('a signal resets a connection without a request at once; exit code 0', async (t) => {
  const node = await NodeProcess.start(t, { root: tempFolder(t) });
  const client = await rawConnect(t, node.hop);
  await node.until(({ lines }) => lines.length === 2);
  const reply = readToEnd(client);
  node.process.kill('SIGTERM');
  assert.equal((await reply).how, 'reset');
  assert.equal(await node.ended, 0);
  assert.equal(node.lines.at(-1), 'file sending in thread 0 failed: the node was stopped');
});

for (const stream of ['stdout', 'stderr'] as const) {
  test(`a node continues when the reader of its ${stream} closes the pipe`, async (t) => {
    const root = tempFolder(t);
    const bytes = randomFile(root, 'file', 1000);
    const node = await NodeProcess.start(t, { root });
    node.process[stream]?.destroy();
    for (let round = 0; round < 3; round += 1) {
      assert.deepEqual((await exchange(t, node.hop, 'file\n\n')).bytes, bytes);
    }
    node.process.kill('SIGTERM');
    assert.equal(await node.ended, 0);
  });
}
