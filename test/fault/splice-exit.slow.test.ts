import assert from 'node:assert/strict';
import { type TestContext, describe, test } from 'node:test';
import { OFFLOAD_STOP_MS } from '#src/pump/splice/thread.js';
import { withoutCalls } from '../support/calls.js';
import { messageOf } from '../support/fetch.js';
import { flowsLent } from '../support/lent-flows.js';
import { Child, NodeProcess } from '../support/processes.js';
import { rawConnect, rawServer, readToEnd } from '../support/raw.js';
import { sparseFile, tempFolder } from '../support/temp.js';

/** Longer than any test: a worker with nothing to do sleeps. */
const PATIENT = ['--timeout', '3600', '--stall-timeout', '3600', '--pump', 'splice'];

/** A relay whose worker has one flow, at which nothing happens, so that it sleeps. */
async function asleep(t: TestContext, nodeArgs: readonly string[] = []) {
  const relay = await NodeProcess.start(t, { args: PATIENT, nodeArgs });
  const chunk = Buffer.alloc(2 ** 18);
  let isLent = false;
  const { hop } = await rawServer(t, (socket) => {
    socket.resume();
    const more = (): void => void (isLent || socket.write(chunk, (error) => error ?? more()));
    more();
  });
  const client = await rawConnect(t, relay.hop);
  client.resume().write(messageOf('x', [hop]));
  await flowsLent(relay.pid, 1);
  isLent = true;
  return { relay, client };
}

/** Relays a large file inside this process, so that a splice worker runs, and then does `after`. */
function library(t: TestContext, after: string): Child {
  const root = tempFolder(t);
  sparseFile(root, 'large', 2 ** 26);
  const program = `
    import { fetchFile, startNode } from 'viaduct';
    const origin = await startNode({ port: 0, host: '127.0.0.1', root: ${JSON.stringify(root)} });
    const relay = await startNode({ port: 0, host: '127.0.0.1', pump: 'splice' });
    const route = [relay, origin].map(({ address }) => ({ host: '127.0.0.1', port: address.port }));
    await fetchFile({ name: 'large', route }, () => {});
    ${after}`;
  return new Child(t, process.execPath, ['--input-type=module', '-e', program]);
}

describe('the end of a process whose splice worker sleeps', { skip: withoutCalls }, () => {
  test('SIGTERM, when the flow is over', async (t) => {
    const { relay, client } = await asleep(t);
    client.resetAndDestroy();
    await relay.failure();
    relay.process.kill('SIGTERM');
    assert.equal(await relay.ended, 0);
  });

  test('SIGTERM twice, with the flow: it is reset', async (t) => {
    const { relay, client } = await asleep(t);
    const ending = readToEnd(client);
    relay.process.kill('SIGTERM');
    await relay.until(({ log }) => log.some(({ msg }) => msg === 'stopping'));
    relay.process.kill('SIGTERM');
    assert.equal((await ending).how, 'reset');
    assert.equal((await relay.failure())['code'], 'ABORTED');
    assert.equal(await relay.ended, 143);
  });

  test('SIGTERM, when the worker heeds nothing any more', async (t) => {
    const hook = new URL('../support/splice-fault.js?spin', import.meta.url).href;
    const { relay, client } = await asleep(t, ['--import', hook]);
    client.resetAndDestroy();
    await relay.failure();
    relay.process.kill('SIGUSR2');
    await relay.until(({ log }) => log.some(({ msg }) => msg === 'fault'));
    const began = performance.now();
    relay.process.kill('SIGTERM');
    assert.equal(await relay.ended, 0);
    assert.ok(performance.now() - began >= OFFLOAD_STOP_MS, 'it did heed');
  });

  test('SIGKILL, with the flow: it is reset', async (t) => {
    const { relay, client } = await asleep(t);
    const ending = readToEnd(client);
    relay.process.kill('SIGKILL');
    assert.equal((await ending).how, 'reset');
  });

  test('close() in the library: it resolves, and the process ends by itself', async (t) => {
    const child = library(
      t,
      `await Promise.all([origin.close(), relay.close()]); process.stdout.write('closed');`,
    );
    assert.equal(await child.ended, 0, child.stderr);
    assert.equal(child.stdout, 'closed');
  });

  test('process.exit() in the library, with nothing closed', async (t) => {
    const child = library(t, 'process.exit(7);');
    assert.equal(await child.ended, 7, child.stderr);
  });

  test('an error that nobody catches', async (t) => {
    const child = library(t, `throw new Error('a defect of the caller');`);
    assert.equal(await child.ended, 1);
    assert.match(child.stderr, /a defect of the caller/);
  });
});
