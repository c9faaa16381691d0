import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import * as fc from 'fast-check';
import { formatHop } from 'viaduct';
import { testChain } from '../support/nodes.js';
import { rawConnect, readToEnd } from '../support/raw.js';
import { Scope } from '../support/scope.js';
import { randomFile, tempFolder } from '../support/temp.js';
import { repliesIn } from '../support/wire-replies.js';

const SIZES = { empty: 0, small: 10, medium: 70_000, large: 300_000, huge: 2_000_000 };
const NAMES = ['empty', 'small', 'medium', 'large', 'huge'] as const;

interface Planned {
  readonly method: 'GET' | 'HEAD';
  readonly name: (typeof NAMES)[number] | 'missing' | '';
  /** Relays before the origin. */
  readonly over: number;
  /** Of the file, from there on. */
  readonly from: number | undefined;
}

const planned: fc.Arbitrary<Planned> = fc.record({
  method: fc.constantFrom('GET', 'GET', 'GET', 'HEAD'),
  name: fc.constantFrom(...NAMES, 'missing', ''),
  over: fc.integer({ min: 0, max: 2 }),
  from: fc.option(fc.integer({ min: 0, max: 9 }), { nil: undefined }),
});

test('any sequence of requests on one connection, over 0 to 2 relays, gets the replies that it asks for', async (t) => {
  const root = tempFolder(t);
  const content = Object.fromEntries(NAMES.map((name) => [name, randomFile(root, name, SIZES[name])]));
  mkdirSync(join(root, 'folder'));
  const { nodes, route } = await testChain(t, 3, { root });
  const [first] = route;
  assert.ok(first);
  const pathOf = ({ name, over }: Planned): string =>
    `${route
      .slice(1, 1 + over)
      .map((hop) => `/@${formatHop(hop)}`)
      .join('')}/${name}`;
  const requestFor = (plan: Planned, isLast: boolean): string =>
    [
      `${plan.method} ${pathOf(plan)} HTTP/1.1`,
      `Host: ${formatHop(first)}`,
      'Accept: application/json',
      ...(plan.from === undefined ? [] : [`Range: bytes=${plan.from}-`]),
      ...(isLast ? ['Connection: close'] : []),
      '',
      '',
    ].join('\r\n');
  await fc.assert(
    fc.asyncProperty(
      fc.array(planned, { minLength: 1, maxLength: 10 }),
      fc.array(fc.integer({ min: 1, max: 4000 }), { minLength: 1, maxLength: 5 }),
      fc.boolean(),
      async (plans, cuts, isSlow) => {
        const scope = new Scope();
        try {
          const client = await rawConnect(scope, first);
          const ending = readToEnd(client);
          const bytes = Buffer.from(
            plans.map((plan, at) => requestFor(plan, at === plans.length - 1)).join(''),
          );
          for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
            const size = cuts[turn % cuts.length] ?? 1;
            client.write(bytes.subarray(at, at + size));
            at += size;
            if (isSlow) await delay(1);
          }
          const { bytes: got, how } = await ending;
          assert.equal(how, 'end');
          const replies = repliesIn(
            got,
            plans.map(({ method }) => method),
          );
          assert.equal(replies.length, plans.length);
          for (const [at, plan] of plans.entries()) {
            const reply = replies[at] ?? assert.fail();
            const { name, method, from } = plan;
            if (name === 'missing') assert.equal(reply.status, 404);
            else if (name === '') assert.equal(reply.status, 200);
            else {
              const whole = content[name] ?? assert.fail();
              const isRange = from !== undefined && from < whole.length;
              const wanted = isRange ? whole.subarray(from) : whole;
              const status = from === undefined ? 200 : isRange ? 206 : 416;
              // An empty file has no range: the whole of it, or none.
              if (whole.length === 0 && from !== undefined) assert.ok([200, 416].includes(reply.status));
              else assert.equal(reply.status, method === 'HEAD' && isRange ? reply.status : status);
              if (method === 'GET' && reply.status < 300)
                assert.ok(reply.body.equals(wanted), `${name} from ${from}`);
            }
          }
        } finally {
          await scope.end();
        }
      },
    ),
    { numRuns: 150 },
  );
  const [relay] = nodes;
  assert.ok(relay?.events.some((event) => event.type === 'dialled' && event.isKept === true));
});
