import { portablePump } from '#src/net/portable-pump.js';
import { pumpMovesBytes } from './pump-contract.js';
import { pumpFails } from './pump-failures.js';

pumpMovesBytes('portable pump', portablePump);
pumpFails('portable pump', portablePump);
