import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { withoutCalls, calls, fdOf } from '../../support/calls.js';
import { acceptedPair } from '../../support/streams.js';

test(
  'the kernel queues less than 1 MiB for a reader that reads nothing',
  { skip: withoutCalls },
  async (t) => {
    const { socket, peer } = await acceptedPair(t);
    peer.pause();
    socket.write(Buffer.alloc(32 * 1024 * 1024));
    const queued = (): number => calls().unacknowledged(fdOf(socket));
    let before = -1;
    for (let now = queued(); now !== before; now = queued()) {
      before = now;
      await delay(200);
    }
    assert.ok(before > 64 * 1024 && before < 1024 * 1024, `${before} bytes`);
  },
);
