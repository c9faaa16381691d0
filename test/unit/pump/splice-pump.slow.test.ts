import { after, before, describe, test } from 'node:test';
import { offloadingPump } from '#src/pump/socket-pump.js';
import { spliceOffload } from '../../support/offload.js';
import { runTransfers } from '../../support/transfers.js';
import { pumpMovesBytes } from './pump-contract.js';
import { pumpFails } from './pump-failures.js';
import { pumpKeepsLength } from './pump-length.js';
import { pumpHandsOver } from './pump-hand-over.js';

/** A fixed one; test/long takes others. */
const SEED = 1;

const offload = spliceOffload();

if ('missing' in offload) {
  describe('the splice pump', { skip: offload.missing }, () => {});
} else {
  before(() => offload.started());
  after(() => offload.close());
  const pump = offloadingPump(offload);
  const fromFirstByte = offloadingPump(offload, 0);
  pumpMovesBytes('splice pump', pump);
  pumpMovesBytes('splice pump from the first byte', fromFirstByte);
  pumpKeepsLength('splice pump from the first byte', fromFirstByte);
  pumpFails('splice pump from the first byte', fromFirstByte);
  pumpHandsOver(offload);
  test('three hundred transfers made by chance', () => runTransfers(fromFirstByte, SEED, 300));
}
