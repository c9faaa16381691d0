import assert from 'node:assert/strict';
import { setMaxListeners } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'node:test';
import { keepParked } from '#src/client/parking/keep-parked.js';
import { PARKING_TIMES } from '#src/wire/parking.js';
import { fetchBytes } from '../support/fetch.js';
import { TRUSTED } from '../support/identity.js';
import { NodeProcess } from '../support/processes.js';
import { parkedNode } from '../support/parking.js';
import { tempFolder } from '../support/temp.js';
import { testIdentity } from '../support/tunnels.js';

const NODES = 1000;
/** Kernel memory of sockets not included. */
const BYTES_PER_NODE = 100 * 1024;
/** For the processor time of an idle relay; a window has one beat of each node, or more. */
const WINDOWS = 3;
const WATCHED_MS = 2 * PARKING_TIMES.beatMs;
const CPU_SHARE = 0.02;
const TICKS_PER_SECOND = 100;

async function shareOfProcessor(node: NodeProcess): Promise<number> {
  const ticks = node.cpuTicks;
  const startedAt = performance.now();
  await delay(WATCHED_MS);
  return ((node.cpuTicks - ticks) * 1000) / TICKS_PER_SECOND / (performance.now() - startedAt);
}

test(`${NODES} parked nodes: memory, descriptors, idle processor time`, async (t) => {
  const { encryption } = TRUSTED;
  assert.ok(encryption);
  const relay = await NodeProcess.start(t, {
    // A connection takes up to seven descriptors in use, of which 20,000 are allowed here: one is kept ready, not four.
    args: [
      '--park-for',
      'any',
      '--max-parked',
      '1100',
      '--max-connections',
      '2800',
      '--max-parked-per-client',
      '2000',
      '--park-ready',
      '1',
    ],
  });
  const root = tempFolder(t);
  writeFileSync(join(root, 'f'), 'x');
  const one = await parkedNode(t, [relay.hop], { name: 'loft', identity: testIdentity(), node: { root } });
  const before = { memory: relay.memory.resident, descriptors: relay.descriptors };
  const end = new AbortController();
  setMaxListeners(0, end.signal);
  const parkings: Promise<void>[] = [];
  const parked = Array.from({ length: NODES }, async () => {
    const identity = testIdentity();
    return new Promise<void>((resolve) => {
      const keep = keepParked([relay.hop], {
        encryption,
        identity: () => identity,
        serve: (stream) => stream.reset(),
        onEvent: (event) => event.type === 'parked' && resolve(),
        signal: end.signal,
      });
      parkings.push(keep);
    });
  });
  t.after(async () => {
    end.abort();
    await Promise.all(parkings);
  });
  await Promise.all(parked);
  await delay(10_000); // Memory is given back to the system meanwhile.
  const after = { memory: relay.memory.resident, descriptors: relay.descriptors };
  const perNode = (after.memory - before.memory) / NODES;
  const descriptors = (after.descriptors - before.descriptors) / NODES;
  const shares: number[] = [];
  for (let window = 0; window < WINDOWS; window += 1) shares.push(await shareOfProcessor(relay));
  const share = Math.min(...shares); // What else runs on the machine only adds to it.
  t.diagnostic(
    `${(perNode / 1024).toFixed(1)} KiB and ${descriptors} descriptors a node; ${(share * 100).toFixed(2)} % of a processor`,
  );
  assert.ok(perNode < BYTES_PER_NODE);
  assert.ok(Math.abs(descriptors - 2) < 0.1);
  assert.ok(share < CPU_SHARE);
  assert.equal((await fetchBytes('f', [relay.hop, one.hop])).toString(), 'x');
});
