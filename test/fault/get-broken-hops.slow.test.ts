import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type ErrorCode, type HostHop, formatHop, formatLocation, get } from 'viaduct';
import { BROKEN_HOPS } from '../support/broken-hops.js';
import { failureOf } from '../support/failures.js';
import { faultProxy } from '../support/fault-proxy.js';
import { watchDescriptors } from '../support/leaks.js';
import { testChain } from '../support/nodes.js';
import { eventsOf, runViaduct, startGet } from '../support/processes.js';
import { RestartableNode } from '../support/restartable.js';
import { randomFile, tempFolder } from '../support/temp.js';
import { outcomeOf } from '#src/cli/exit-codes.js';
import { WIRES } from '../support/wires.js';

// A machine without a name server must not wait for one (resolv.conf(5)).
process.env['RES_OPTIONS'] = 'timeout:1 attempts:1';
const HOPS = 5;
const PLACES = [1, 2, 3, 4, 5];
const MIB = 1024 * 1024;

const EXIT: Partial<Record<ErrorCode, number>> = {
  DNS_ERROR: 6,
  REFUSED: 7,
  NOT_A_NODE: 7,
  PROHIBITED: 7,
  CUT_SHORT: 18,
  CONNECT_TIMEOUT: 28,
  BAD_REPLY: 56,
};

/** A client may dial whom it likes; policy is for relays. */
const placesOf = (code: ErrorCode): readonly number[] => (code === 'PROHIBITED' ? PLACES.slice(1) : PLACES);

for (const wire of WIRES)
  describe(wire.name, () => {
    test('a hop that fails before its reply is named with its reason, at each place, and at once', async (t) => {
      const folder = tempFolder(t);
      const { nodes } = await testChain(t, HOPS, { root: folder, connectTimeoutMs: 1000 });
      const nothingOpen = watchDescriptors();
      for (const { what, at, code, reason } of BROKEN_HOPS) {
        await t.test(what, async (st) => {
          const fetches = placesOf(code).map(async (place) => {
            const hop = await at(st, place);
            const route: readonly HostHop[] = nodes.map((node) => node.hop).with(place - 1, hop);
            const target = join(folder, `file-${place}`);
            const error = await failureOf(
              get({ route, path: '/file' }, target, { ...wire.options, connectTimeoutMs: 1000 }),
            );
            assert.deepEqual(
              [error.code, outcomeOf(error).exit, error.hopAddress],
              [code, EXIT[code], formatHop(hop)],
            );
            const label = `hop ${place} (${formatHop(hop)}) `;
            assert.ok(error.message.startsWith(label), error.message);
            const said = error.message.slice(label.length);
            // Only a relay knows the option that would allow a web server.
            if (place === 1 && code === 'NOT_A_NODE') assert.match(said, /^is not a node/);
            else assert.match(said, reason);
          });
          await Promise.all(fetches);
        });
      }
      await nothingOpen();
      assert.deepEqual(readdirSync(folder), []);
    });

    test('the exit code and the line of the command are those of the broken hop', async (t) => {
      const root = tempFolder(t);
      const { nodes } = await testChain(t, HOPS, { root, connectTimeoutMs: 1000 });
      const oneOfEach = [...new Map(BROKEN_HOPS.map((broken) => [broken.code, broken])).values()];
      const runs = oneOfEach.map(async ({ what, at, code }, index) => {
        const places = placesOf(code);
        const place = places[index % places.length] ?? 1;
        const hop = await at(t, place);
        const url = formatLocation({
          route: nodes.map((node) => node.hop).with(place - 1, hop),
          path: '/file',
        });
        const run = await runViaduct(t, ['get', ...wire.args, url, '--connect-timeout', '1'], {
          cwd: tempFolder(t),
        });
        assert.equal(run.code, EXIT[code], `${what}: ${run.stderr}`);
        assert.match(run.stderr, /^viaduct: [^\n]+\n$/);
        assert.ok(run.stderr.startsWith(`viaduct: hop ${place} (${formatHop(hop)}) `), run.stderr);
        assert.equal(run.stdout, '');
      });
      await Promise.all(runs);
    });

    for (const retry of ['0', '2']) {
      test(`a relay that dies in mid-body and stays down is named (--retry ${retry})`, async (t) => {
        const root = tempFolder(t);
        randomFile(root, 'file', 8 * MIB);
        const nodes = await Promise.all(
          [1, 2, 3, 4].map((number) =>
            // The pin is that of the origin alone.
            RestartableNode.start(t, root, number === 4 ? [] : ['--state', tempFolder(t)]),
          ),
        );
        const victim = nodes[2];
        assert.ok(victim);
        const folder = tempFolder(t);
        const url = formatLocation({ route: nodes.map(({ hop }) => hop), path: '/file' });
        const child = startGet(t, folder, [
          ...wire.args,
          url,
          '--json',
          '--limit-rate',
          '2M',
          '--retry',
          retry,
        ]);
        await child.until((running) => eventsOf(running).some(({ event }) => event === 'progress'));
        await victim.kill();
        assert.equal(await child.ended, 7, child.stderr);
        const last = eventsOf(child).at(-1);
        assert.deepEqual(
          [last?.['code'], last?.['hopNumber'], last?.['hopAddress']],
          ['REFUSED', 3, formatHop(victim.hop)],
        );
        assert.match(String(last?.['message']), /^hop 3 \([^)]+\) refused the connection/);
        assert.deepEqual(readdirSync(folder), ['file.part', 'file.part.json']);
      });
    }

    test('a chain that broke and is whole again tells after how many bytes', async (t) => {
      const root = tempFolder(t);
      randomFile(root, 'file', 2 * MIB);
      const { route } = await testChain(t, 3, { root });
      const [first, second, third] = route;
      assert.ok(first && second && third);
      const proxy = await faultProxy(t, second, (count) => ({
        kind: 'reset',
        at: count === 0 ? MIB : Infinity,
      }));
      const location = { route: [first, proxy.hop, third], path: '/file' };
      const error = await failureOf(
        get(location, join(tempFolder(t), 'file'), { ...wire.options, retries: 0 }),
      );
      assert.equal(error.code, 'CUT_SHORT');
      assert.match(error.message, /^the chain broke after \d+ of 2097152 bytes, but all hops answer now$/);
    });
  });
