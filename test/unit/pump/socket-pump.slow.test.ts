import { test } from 'node:test';
import { socketPump } from '#src/pump/socket-pump.js';
import { withNodeSockets } from '../../support/flows.js';
import { runTransfers } from '../../support/transfers.js';
import { pumpMovesBytes } from './pump-contract.js';
import { pumpFails } from './pump-failures.js';
import { pumpKeepsLength } from './pump-length.js';

/** A fixed one; test/long takes others. */
const SEED = 1;

pumpMovesBytes('portable pump', socketPump);
pumpKeepsLength('portable pump', socketPump);
pumpFails('portable pump', socketPump);
const onNode = withNodeSockets(socketPump);
pumpMovesBytes("portable pump with Node's sockets", onNode);
pumpKeepsLength("portable pump with Node's sockets", onNode);
pumpFails("portable pump with Node's sockets", onNode);
test('three hundred transfers made by chance', () => runTransfers(socketPump, SEED, 300));
