import { test } from 'node:test';
import { portablePump } from '#src/pump/socket-pump.js';
import { runTransfers } from '../../support/transfers.js';
import { pumpMovesBytes } from './pump-contract.js';
import { pumpFails } from './pump-failures.js';
import { pumpKeepsLength } from './pump-length.js';

/** A fixed one; test/long takes others. */
const SEED = 1;

pumpMovesBytes('portable pump', portablePump);
pumpKeepsLength('portable pump', portablePump);
pumpFails('portable pump', portablePump);
test('three hundred transfers made by chance', () => runTransfers(portablePump, SEED, 300));
