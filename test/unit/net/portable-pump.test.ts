import { portablePump } from '#src/net/portable-pump.js';
import { pumpMovesBytes } from './pump-contract.js';
import { pumpFails } from './pump-failures.js';
import { pumpKeepsLength } from './pump-length.js';

pumpMovesBytes('portable pump', portablePump);
pumpKeepsLength('portable pump', portablePump);
pumpFails('portable pump', portablePump);
