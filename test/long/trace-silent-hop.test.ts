import { outcomeOf } from '#src/cli/exit-codes.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatHop, traceRoute } from 'viaduct';
import { watchDescriptors } from '../support/leaks.js';
import { testChain } from '../support/nodes.js';
import { rawServer } from '../support/raw.js';
import { WIRES } from '../support/wires.js';

// All at once: a relay waits for 6 s, and a client whose relays wait for longer for 11 s and more.
for (const wire of WIRES)
  test(`a silent hop is named at each place, by the relay before it or by the time that is over (${wire.name})`, async (t) => {
    const [patient, hasty] = await Promise.all([
      testChain(t, 4, { timeoutMs: 60_000 }),
      testChain(t, 4, { timeoutMs: 1000 }),
    ]);
    const silent = await rawServer(t, (socket) => void socket.resume());
    const nothingOpen = watchDescriptors();
    const traces = [patient, hasty].flatMap(({ route }) =>
      [1, 2, 3, 4].map(async (place) => {
        const hops = await traceRoute(route.with(place - 1, silent.hop), {
          ...wire.options,
          timeoutMs: 1000,
        });
        assert.deepEqual(
          hops.map(({ state }) => state),
          [1, 2, 3, 4].map((number) => (number < place ? 'up' : number === place ? 'down' : 'unreached')),
        );
        const broken = hops[place - 1];
        assert.ok(broken?.state === 'down' && broken.error);
        const error = broken.error;
        const { code, hopAddress, hopNumber, message } = error;
        const address = formatHop(silent.hop);
        assert.deepEqual(
          [code, outcomeOf(error).exit, hopAddress, hopNumber],
          ['TIMEOUT', 28, address, place],
        );
        const seconds = route === hasty.route || place === 1 ? 6 : place * 5 + 1;
        const missing =
          place === 1 && wire.name === 'encrypted' ? 'did not end the TLS handshake' : 'sent no reply';
        assert.equal(message, `hop ${place} (${address}) ${missing} within ${seconds} s`);
      }),
    );
    await Promise.all(traces);
    await nothingOpen();
  });
