import { after, before, describe, test } from 'node:test';
import { offloadingPump, socketPump } from '#src/pump/socket-pump.js';
import { watchDescriptors } from '../support/leaks.js';
import { spliceOffload } from '../support/offload.js';
import { runTransfers } from '../support/transfers.js';

const TRANSFERS = 10_000;

/** Another one in every run; a failure names it. */
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

test('10,000 transfers by the portable pump', async (t) => {
  t.diagnostic(`seed ${seed}`);
  const released = watchDescriptors();
  await runTransfers(socketPump, seed, TRANSFERS);
  await released();
});

const offload = spliceOffload();
if ('missing' in offload) {
  describe('10,000 transfers by the splice pump', { skip: offload.missing }, () => {});
} else {
  before(() => offload.started());
  after(() => offload.close());
  test('10,000 transfers by the splice pump', async (t) => {
    t.diagnostic(`seed ${seed}`);
    const released = watchDescriptors();
    await runTransfers(offloadingPump(offload), seed, TRANSFERS);
    await released();
    t.diagnostic(`${offload.taken} hand-overs`);
  });
}
