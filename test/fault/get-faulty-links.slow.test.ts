import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type ErrorCode, type HostHop, get } from 'viaduct';
import { failureOf } from '../support/failures.js';
import { type Fault, faultProxy } from '../support/fault-proxy.js';
import { watchDescriptors } from '../support/leaks.js';
import { testChain } from '../support/nodes.js';
import { randomFile, tempFolder } from '../support/temp.js';
import { WIRES } from '../support/wires.js';

const SIZE = 300_000;
/**
 * Bytes before the fault. Upwards they are those of the request, and in TLS of the request for the tunnel, the end of the
 * handshake and the request; downwards of the reply, and in TLS of the 101, the handshake, and records of the reply.
 */
const PLACES = { up: [0, 300, 700], down: [0, 120, 1100, 20_000, 250_000] };
const DIRECTIONS = ['up', 'down'] as const;
/** What a byte that was changed on its way can be taken for, before the file is verified. */
const MISREAD = new Set<ErrorCode>([
  'BAD_REPLY',
  'NOT_A_NODE',
  'HTTP_ERROR',
  'NOT_FOUND',
  'FORBIDDEN',
  'BAD_REQUEST',
  'BAD_ROUTE',
  'PROHIBITED',
  'VERSION_NOT_SUPPORTED',
  'METHOD_NOT_ALLOWED',
  'DIGEST_MISMATCH',
  'NO_DIGEST',
  'TLS_FAILED',
  'TLS_REQUIRED',
  'WRONG_PIN',
  'CHANGED',
]);

for (const wire of WIRES)
  describe(wire.name, { concurrency: 4 }, () => {
    for (const link of [1, 2, 3]) {
      test(`whatever happens to the first connection at link ${link} of 3, the file is whole or there is none`, async (t) => {
        const root = tempFolder(t);
        const bytes = randomFile(root, 'file', SIZE);
        const { route } = await testChain(t, 3, { root });
        const nothingOpen = watchDescriptors();
        const folder = tempFolder(t);
        const faults = (['reset', 'cut', 'corrupt'] as const).flatMap((kind) =>
          DIRECTIONS.flatMap((direction) => PLACES[direction].map((at): Fault => ({ kind, direction, at }))),
        );
        const healthy: Fault = { kind: 'split', at: Infinity };
        for (const [index, fault] of faults.entries()) {
          const what = `${fault.kind} ${fault.direction} at ${fault.at}`;
          await t.test(what, async (st) => {
            const hop = route[link - 1];
            assert.ok(hop);
            const proxy = await faultProxy(st, hop, (connection) => (connection === 0 ? fault : healthy));
            const through: readonly HostHop[] = route.with(link - 1, proxy.hop);
            const name = `file-${index}`;
            const getting = get({ route: through, path: '/file' }, join(folder, name), {
              ...wire.options,
              timeoutMs: 2000,
              retries: 3,
              retryConnect: true,
            });
            if (fault.kind !== 'corrupt') await getting;
            else {
              const { code } = await getting.then(
                () => ({ code: undefined }),
                () => failureOf(getting),
              );
              assert.ok(code === undefined || MISREAD.has(code), code);
              if (code !== undefined) return assert.ok(!readdirSync(folder).includes(name));
            }
            assert.ok(readFileSync(join(folder, name)).equals(bytes));
          });
        }
        await nothingOpen();
      });
    }
  });
