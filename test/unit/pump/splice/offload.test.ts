import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { OFFLOAD_DEATHS, SpliceOffload } from '#src/pump/splice/offload.js';
import { SystemCallError } from '#src/system/library.js';
import { calls, withoutCalls } from '../../../support/calls.js';

describe('splice workers', { skip: withoutCalls }, () => {
  test('that cannot start leave no descriptor, are told of, and are not tried for ever', () => {
    const open = new Set<number>();
    const deaths: Error[] = [];
    const short = {
      ...calls(),
      epollCreate: () => {
        const fd = calls().epollCreate();
        open.add(fd);
        return fd;
      },
      eventfd: () => {
        throw new SystemCallError('eventfd', -constants.errno.EMFILE);
      },
      close: (fd: number) => {
        open.delete(fd);
        return calls().close(fd);
      },
    };
    const offload = new SpliceOffload(short, (cause) => deaths.push(cause));
    for (let chunk = 0; chunk < 10; chunk += 1) assert.equal(offload.ready(), false);
    assert.equal(deaths.length, OFFLOAD_DEATHS);
    assert.match(deaths[0]?.message ?? '', /EMFILE/);
    assert.equal(open.size, 0);
  });

  test('are not used on another thread than the main one, which could not be ended from outside', async () => {
    const url = import.meta.resolve('#src/pump/choose-pump.js');
    const program = `
      import('${url}').then(({ choosePump }) => {
        const { name, why } = choosePump(undefined, () => {});
        require('node:worker_threads').parentPort.postMessage({ name, why });
      });`;
    const worker = new Worker(program, { eval: true });
    const said = await new Promise((resolve) => worker.once('message', resolve));
    assert.deepEqual(said, { name: 'portable', why: 'splice is used on the main thread only' });
    await worker.terminate();
  });
});
