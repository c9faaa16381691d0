import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ErrorCode, type HostHop, formatHop, traceRoute } from 'viaduct';
import { BROKEN_HOPS } from '../support/broken-hops.js';
import { urlOf } from '../support/http.js';
import { watchDescriptors } from '../support/leaks.js';
import { testChain } from '../support/nodes.js';
import { runViaduct } from '../support/processes.js';
import { tempFolder } from '../support/temp.js';
import { outcomeOf } from '#src/cli/exit-codes.js';
import { WIRES } from '../support/wires.js';

// A machine without a name server must not wait for one (resolv.conf(5)).
process.env['RES_OPTIONS'] = 'timeout:1 attempts:1';
const HOPS = 5;
const PLACES = [1, 2, 3, 4, 5];

const EXIT: Partial<Record<ErrorCode, number>> = {
  DNS_ERROR: 6,
  REFUSED: 7,
  NOT_A_NODE: 7,
  PROHIBITED: 7,
  CUT_SHORT: 18,
  CONNECT_TIMEOUT: 28,
  BAD_REPLY: 56,
  TLS_FAILED: 35,
};

/** A client may dial whom it likes; policy is for relays. */
const placesOf = (code: ErrorCode): readonly number[] => (code === 'PROHIBITED' ? PLACES.slice(1) : PLACES);

for (const wire of WIRES)
  describe(wire.name, () => {
    test('the broken hop is named with its reason, at each place; those before it answer', async (t) => {
      const { nodes } = await testChain(t, HOPS, { root: tempFolder(t), connectTimeoutMs: 1000 });
      const nothingOpen = watchDescriptors();
      for (const broken of BROKEN_HOPS) {
        await t.test(broken.what, async (st) => {
          const traces = placesOf(broken.code).map(async (place) => {
            const hop = await broken.at(st, place);
            // A trace dials the first hop for its own answer too.
            const { code, reason } = (place === 1 && wire.name === 'encrypted' && broken.inTls) || broken;
            const route: readonly HostHop[] = nodes.map((node) => node.hop).with(place - 1, hop);
            const hops = await traceRoute(route, { ...wire.options, connectTimeoutMs: 1000 });
            assert.deepEqual(
              hops.map(({ number, state }) => [number, state]),
              PLACES.map((number) => [
                number,
                number < place ? 'up' : number === place ? 'down' : 'unreached',
              ]),
            );
            const found = hops[place - 1];
            assert.ok(found?.state === 'down' && found.error);
            const { error } = found;
            assert.deepEqual(
              [error.code, outcomeOf(error).exit, error.hopAddress],
              [code, EXIT[code], formatHop(hop)],
            );
            const label = `hop ${place} (${formatHop(hop)}) `;
            assert.ok(error.message.startsWith(label), error.message);
            // Only a relay knows the option that would allow a web server.
            const said = error.message.slice(label.length);
            if (place === 1 && code === 'NOT_A_NODE') assert.match(said, /^is not a node/);
            else assert.match(said, reason);
          });
          await Promise.all(traces);
        });
      }
      await nothingOpen();
    });

    test('the exit code and the line of the command are those of the broken hop', async (t) => {
      const { nodes } = await testChain(t, HOPS, { root: tempFolder(t), connectTimeoutMs: 1000 });
      const oneOfEach = [...new Map(BROKEN_HOPS.map((broken) => [broken.code, broken])).values()];
      const runs = oneOfEach.map(async ({ what, at, code }, index) => {
        const places = placesOf(code);
        const place = places[index % places.length] ?? 1;
        const hop = await at(t, place);
        const route = nodes.map((node) => node.hop).with(place - 1, hop);
        const run = await runViaduct(t, [
          'trace',
          ...wire.args,
          urlOf(route, '/'),
          '--connect-timeout',
          '1',
          '--probes',
          '1',
        ]);
        assert.equal(run.code, EXIT[code], `${what}: ${run.stderr}`);
        assert.match(run.stderr, /^viaduct: [^\n]+\n$/);
        assert.ok(run.stderr.startsWith(`viaduct: hop ${place} (${formatHop(hop)}) `), run.stderr);
        const rows = run.stdout.split('\n').slice(1, -1);
        assert.deepEqual(
          rows.map((row) => row.slice(row.lastIndexOf('  ') + 2)),
          PLACES.map((number) => (number < place ? 'up' : number === place ? 'down' : 'not reached')),
        );
      });
      await Promise.all(runs);
    });
  });
