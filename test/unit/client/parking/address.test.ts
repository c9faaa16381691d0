import assert from 'node:assert/strict';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import { test } from 'node:test';
import { PARKING_TIMES } from '#src/wire/parking.js';
import { parkedChain } from '../../../support/parking.js';

test('a parked node whose own address is gone connects again at once', async (t) => {
  const { parked } = await parkedChain(t, { times: { ...PARKING_TIMES, addressMs: 20 } });
  const mocked = t.mock.method(os, 'networkInterfaces', () => ({}));
  syncBuiltinESMExports();
  t.after(() => {
    mocked.mock.restore();
    syncBuiltinESMExports();
  });
  const { error } = await parked.event('lost');
  assert.match(error.message, /was reached from 127\.0\.0\.1, which this machine no longer has$/);
  // An address that is not listed at all is not watched.
  while (parked.events.at(-1)?.type !== 'parked') await new Promise(setImmediate);
});
