import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type HostHop, formatHop, get } from 'viaduct';
import { failureOf } from '../support/failures.js';
import { type Fault, faultProxy } from '../support/fault-proxy.js';
import { randomFile, sparseFile, tempFolder } from '../support/temp.js';
import {
  type SecureChain,
  recordStarts,
  recordingProxy,
  runSecure,
  secureChain,
} from '../support/tunnels.js';

const NAME = 'file';
const SIZE = 300_000;
const LIMIT = { timeout: 100_000 };
/** Ends what waits for bytes that do not come, since a length was damaged. */
const SILENCE_MS = 1500;
/** The link before this hop is damaged: a relay on both sides of it. */
const PLACE = 2;
const AT_ONCE = 24;

const KINDS = ['corrupt', 'cut', 'reset'] as const;
/** TLS failed; the transfer was cut short. */
const EXITS = new Set([35, 18]);

async function chainWithFile(t: TestContext) {
  const chain = await secureChain(t, 3, { timeoutMs: SILENCE_MS });
  return { ...chain, content: randomFile(chain.root, NAME, SIZE) };
}

async function fetchOver(
  t: TestContext,
  { identity }: SecureChain,
  route: readonly HostHop[],
  args: readonly string[],
) {
  const target = join(tempFolder(t), NAME);
  const run = await runSecure(
    'get',
    { route, path: `/${NAME}` },
    ['--pin', identity.pin],
    ['-o', target, ...args],
  );
  return { run, saved: existsSync(target) ? readFileSync(target) : undefined };
}

/** The first byte, a byte of the length, and one in the middle of each record after the head, and the middle of the head. */
function positionsIn(bytes: Buffer): number[] {
  const head = bytes.indexOf('\r\n\r\n') + 4;
  const starts = recordStarts(bytes.subarray(head)).map((start) => head + start);
  const ends = [...starts.slice(1), bytes.length];
  return starts.flatMap((start, index) => {
    const middle = Math.floor((start + (ends[index] ?? start)) / 2);
    // Most of a file is alike.
    return index < 6 ? [start, start + 3, middle] : [middle];
  });
}

/** Where the faults are, from a healthy run over the same link. */
async function placesOfFaults(t: TestContext, chain: SecureChain & { readonly content: Buffer }) {
  const hop = chain.route[PLACE - 1];
  assert.ok(hop);
  const link = await recordingProxy(t, hop);
  const { run, saved } = await fetchOver(t, chain, chain.route.with(PLACE - 1, link.hop), []);
  assert.equal(run.code, 0, run.stderr);
  assert.ok(saved?.equals(chain.content));
  return { hop, down: positionsIn(link.down), up: positionsIn(link.up) };
}

test('what is damaged or cut on the way is never saved, wherever it happens', LIMIT, async (t) => {
  const chain = await chainWithFile(t);
  const { hop, ...positions } = await placesOfFaults(t, chain);
  const faults = (['down', 'up'] as const).flatMap((direction) =>
    positions[direction].flatMap((at) => KINDS.map((kind): Fault => ({ kind, direction, at }))),
  );
  assert.ok(positions.down.length > 15 && positions.up.length >= 12, JSON.stringify(positions));
  const unharmed: Fault[] = [];
  const strike = async (fault: Fault): Promise<void> => {
    const proxy = await faultProxy(t, hop, fault);
    const route = chain.route.with(PLACE - 1, proxy.hop);
    const { run, saved } = await fetchOver(t, chain, route, ['--retry', '0', '--no-verify']);
    const what = `${JSON.stringify(fault)}: ${run.code} ${run.stderr}`;
    if (run.code === 0) {
      assert.ok(saved?.equals(chain.content), what);
      unharmed.push(fault);
      return;
    }
    assert.equal(saved, undefined, what);
    assert.ok(EXITS.has(Number(run.code)), what);
    // In the body the client looks which hop it was, and all answer.
    const [, number, address] = /^viaduct: (?:hop (\d) \((\S+)\) |the chain broke after )[^\n]+\n$/.exec(
      run.stderr,
    ) ?? [run.stderr];
    const hops = route.map(formatHop);
    assert.ok(number === undefined || hops[Number(number) - 1] === address, what);
    assert.match(run.stderr, /^viaduct: (?:hop \d \(|the chain broke )/, what);
  };
  for (let from = 0; from < faults.length; from += AT_ONCE)
    await Promise.all(faults.slice(from, from + AT_ONCE).map(strike));
  // The end of what the client sends, and what follows the file, are not missed.
  const harmful = faults.filter((fault) => !unharmed.includes(fault));
  for (const direction of ['down', 'up'] as const) {
    const last = Math.max(
      ...harmful.filter((fault) => fault.direction === direction).map(({ at = 0 }) => at),
    );
    for (const fault of unharmed.filter((each) => each.direction === direction && each.kind !== 'cut'))
      assert.ok((fault.at ?? 0) > last, `${JSON.stringify(fault)} was not noticed`);
  }
});

test('a file is whole after its tunnels were damaged in the body', LIMIT, async (t) => {
  const chain = await chainWithFile(t);
  const hop = chain.route[PLACE - 1];
  assert.ok(hop);
  for (const kind of KINDS) {
    const proxy = await faultProxy(t, hop, (connection) => ({
      kind,
      at: connection < 2 ? SIZE / 3 : Infinity,
    }));
    const { run, saved } = await fetchOver(t, chain, chain.route.with(PLACE - 1, proxy.hop), [
      '--retry',
      '5',
    ]);
    await proxy.struck;
    assert.equal(run.code, 0, run.stderr);
    assert.ok(saved?.equals(chain.content));
  }
});

test(
  'a relay that dies in the middle of an encrypted body is named, as without encryption',
  LIMIT,
  async (t) => {
    const chain = await chainWithFile(t);
    const [, relay] = chain.relays;
    assert.ok(relay);
    let closing: Promise<void> | undefined;
    // More than all buffers on the way hold.
    sparseFile(chain.root, 'large', 2 ** 26);
    const fetching = get({ route: chain.route, path: '/large' }, join(tempFolder(t), NAME), {
      encryption: { checkKey: async () => {} },
      retries: 0,
      limitRate: 100_000,
      onEvent: ({ type }) => {
        if (type === 'progress') closing ??= relay.close(0);
      },
    });
    const { code, hopNumber, hopAddress, message } = await failureOf(fetching);
    assert.deepEqual([code, hopNumber, hopAddress], ['REFUSED', 2, formatHop(relay.hop)]);
    assert.match(message, /^hop 2 \(\S+\) refused the connection/);
    await closing;
  },
);
