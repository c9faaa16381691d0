import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fetchBytes } from '../support/fetch.js';
import { watchDescriptors } from '../support/leaks.js';
import { parkingHead, tlsTo } from '../support/park-client.js';
import { parkedNode } from '../support/parking.js';
import { ParkingAttempts } from '../support/parking-attempts.js';
import { NodeProcess } from '../support/processes.js';
import { Scope } from '../support/scope.js';
import { tempFolder } from '../support/temp.js';

const ATTEMPTS = 10_000;
const REQUESTS = 2000;
const AT_ONCE = 6;
const MIB = 1024 * 1024;

/** Requests for a file that does not exist, each on a TLS connection of its own. */
async function plainRequests(hop: NodeProcess['hop'], count: number): Promise<void> {
  let made = 0;
  const worker = async (): Promise<void> => {
    while ((made += 1) <= count) {
      const scope = new Scope();
      const { socket, talk } = await tlsTo(scope, hop);
      socket.write(parkingHead([], 'GET /absent HTTP/1.1'));
      await talk.until(/\r\n\r\n/);
      await scope.end();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

test(`${ATTEMPTS} attempts to park cost about as much as requests in TLS, and leave nothing`, async (t) => {
  const root = tempFolder(t);
  writeFileSync(join(root, 'file'), 'x');
  const relay = await NodeProcess.start(t, { root, args: ['--park-for', 'any'] });
  const parked = await parkedNode(t, [relay.hop], { name: 'attic', node: { root } });
  const route = [relay.hop, parked.hop];
  const attempts = new ParkingAttempts(relay.hop);
  // Warm, both ways.
  await attempts.run(1000, AT_ONCE);
  await plainRequests(relay.hop, 500);
  const nothingMore = watchDescriptors(relay);
  const { resident } = relay.memory;

  const ticks = relay.cpuTicks;
  await plainRequests(relay.hop, REQUESTS);
  const perRequest = (relay.cpuTicks - ticks) / REQUESTS;
  const before = relay.cpuTicks;
  const statuses: Record<string, number> = {};
  for (let part = 1; part <= 10; part += 1) {
    for (const [status, count] of Object.entries(await attempts.run(ATTEMPTS / 10, AT_ONCE)))
      statuses[status] = (statuses[status] ?? 0) + count;
    assert.equal((await fetchBytes('file', route)).toString(), 'x');
  }
  const perAttempt = (relay.cpuTicks - before) / ATTEMPTS;
  const grown = (relay.memory.resident - resident) / MIB;
  t.diagnostic(
    `${JSON.stringify(statuses)}; CPU of an attempt ÷ that of a request: ${(perAttempt / perRequest).toFixed(2)}; ${grown.toFixed(1)} MiB grown`,
  );
  // The one that may park replaces its older self, sometimes before that has its answer.
  const {
    '101': accepted = 0,
    none: replaced = 0,
    '403': refused = 0,
    '400': malformed = 0,
    ...others
  } = statuses;
  assert.deepEqual(
    [accepted + replaced, refused, malformed, others],
    [ATTEMPTS / 5, (3 * ATTEMPTS) / 5, ATTEMPTS / 5, {}],
  );
  assert.ok(perAttempt < 3 * perRequest, `${perAttempt} and ${perRequest} ticks`);
  assert.ok(grown < 64, `${grown} MiB more`);
  await nothingMore();
  assert.deepEqual(
    parked.events.map(({ type }) => type),
    ['parked'],
  );
  const leases = (msg: string): number => relay.log.filter((line) => line.msg === msg).length;
  assert.equal(leases('parked') - leases('no longer parked'), 1);
});
