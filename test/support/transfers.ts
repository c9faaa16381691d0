import assert from 'node:assert/strict';
import { BUFFER_MAX } from '#src/tcp/read-buffer.js';
import { OFFLOAD_BYTES } from '#src/defaults.js';
import type { FlowFailure, Pump } from '#src/pump/pump.js';
import { closed } from './streams.js';
import { type TestFlow, startFlow } from './flows.js';
import { PatternReader, patternAt, sendPattern } from './pattern.js';
import { Scope } from './scope.js';

const MIB = 1024 * 1024;
const SIZES = [0, 1, 65_535, 65_536, 65_537, MIB - 1, MIB, MIB + 1].concat(
  [-1, 0, 1].map((more) => OFFLOAD_BYTES + more),
);
const LARGEST = 4 * MIB;

/** What a flow that is to break has still to get, so that it never ends. */
const BEYOND = 2 ** 40;

const BREAKS = [
  'client resets',
  'upstream resets',
  'upstream resets later',
  'ends short',
  'aborted',
] as const;

/** A transfer, as chance made it. */
interface Plan {
  readonly mode: 'reply' | 'duplex';
  /** Bytes to the client and, in duplex mode, to upstream. In reply mode `up` bytes are sent and dropped. */
  readonly down: number;
  readonly up: number;
  /** Of `down`, read before the flow began. */
  readonly head: number;
  readonly lengthKnown: boolean;
  readonly slowClient: boolean;
  readonly slowUpstream: boolean;
  /** Bytes that are written at once. */
  readonly step: number;
  /** Who ends first; the other one waits for that. */
  readonly first: 'client' | 'upstream' | 'nobody';
  /** Where both streams begin. */
  readonly at: number;
  readonly breaks: (typeof BREAKS)[number] | undefined;
}

/** Numbers from 0 to 1 by mulberry32: the same ones for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function planFor(seed: number): Plan {
  const random = randomFrom(seed);
  const chance = (share: number): boolean => random() < share;
  const below = (end: number): number => Math.floor(random() * end);
  const size = (): number =>
    chance(0.5) ? (SIZES[below(SIZES.length)] ?? 0) : Math.floor(LARGEST ** random()) - 1;
  const mode = chance(0.5) ? 'reply' : 'duplex';
  const breaks = chance(0.4) ? BREAKS[below(BREAKS.length)] : undefined;
  const down = size();
  return {
    mode: breaks === 'ends short' ? 'reply' : mode,
    down,
    up: chance(0.5) ? size() : 0,
    head: chance(0.3) ? below(Math.min(down, 20_000) + 1) : 0,
    lengthKnown: chance(0.5),
    slowClient: chance(0.3),
    slowUpstream: chance(0.2),
    step: 1 + below(chance(0.5) ? 262_144 : 20_000),
    first: chance(0.3) ? 'nobody' : chance(0.5) ? 'client' : 'upstream',
    at: below(MIB),
    breaks,
  };
}

/** Runs transfers made from seeds `seed` to `seed + count - 1`, several at once. A failure names its seed. */
export async function runTransfers(pump: Pump, seed: number, count: number, atOnce = 32): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) {
      const own = seed + next++;
      const plan = planFor(own);
      try {
        await runOne(pump, plan);
      } catch (error) {
        throw new Error(`seed ${own}: ${JSON.stringify(plan)}: ${String(error)}`, { cause: error });
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

async function runOne(pump: Pump, plan: Plan): Promise<void> {
  const scope = new Scope();
  try {
    const known = plan.mode === 'reply' && (plan.lengthKnown || plan.breaks === 'ends short');
    const flow = await startFlow(scope, pump, plan.mode, {
      fromUpstream: Buffer.from(patternAt(plan.at, plan.head)),
      length: known ? plan.down + (plan.breaks ? BEYOND : 0) : undefined,
    });
    const client = new PatternReader(flow.client, plan.at, plan.slowClient);
    const upstream = new PatternReader(flow.upstream, plan.at, plan.slowUpstream);
    if (plan.breaks) await runBroken(flow, plan, plan.breaks, client, upstream);
    else await runWhole(flow, plan, client, upstream);
  } finally {
    await scope.end();
  }
}

async function runWhole(
  flow: TestFlow,
  plan: Plan,
  client: PatternReader,
  upstream: PatternReader,
): Promise<void> {
  const { mode, down, up, head, at, step, first } = plan;
  const sendDown = async (): Promise<void> => {
    // In reply mode nobody hears of the client's end, so nobody can wait for it.
    if (first === 'client' && mode === 'duplex') await upstream.ended;
    await sendPattern(flow.upstream, at + head, down - head, step);
    flow.upstream.end();
  };
  const sendUp = async (): Promise<void> => {
    if (first === 'upstream') await client.ended;
    await sendPattern(flow.client, at, up, step);
    flow.client.end();
  };
  const sent = Promise.all([sendDown(), sendUp()]);
  assert.equal(await client.ended, 'end', 'how it ended for the client');
  assert.equal(client.count, down, 'bytes at the client');
  const toUpstream = mode === 'duplex' ? up : 0;
  const result = await flow.result;
  assert.deepEqual(result, { toClient: down, toUpstream, failure: undefined });
  if (mode === 'duplex') assert.equal(await upstream.ended, 'end', 'how it ended for upstream');
  assert.equal(upstream.count, toUpstream, 'bytes at upstream');
  await closeAll(flow);
  await sent;
}

/** The side that is to blame, and how. */
const BLAME: Readonly<Record<(typeof BREAKS)[number], Pick<FlowFailure, 'side' | 'code'>>> = {
  'client resets': { side: 'client', code: 'CLIENT_GONE' },
  'upstream resets': { side: 'upstream', code: 'CUT_SHORT' },
  'upstream resets later': { side: 'upstream', code: 'CUT_SHORT' },
  'ends short': { side: 'upstream', code: 'CUT_SHORT' },
  aborted: { side: 'client', code: 'ABORTED' },
};

async function runBroken(
  flow: TestFlow,
  { mode, down, up, head, at, step }: Plan,
  how: (typeof BREAKS)[number],
  client: PatternReader,
  upstream: PatternReader,
): Promise<void> {
  const sentUp = sendPattern(flow.client, at, up, step);
  const isFromUpstream = how === 'upstream resets' || how === 'ends short';
  const sentDown = sendPattern(flow.upstream, at + head, isFromUpstream ? down - head : Infinity, step);
  switch (how) {
    case 'upstream resets':
      await sentDown;
      flow.upstream.resetAndDestroy();
      break;
    case 'ends short':
      await sentDown;
      flow.upstream.end();
      break;
    case 'upstream resets later':
      await client.got(down);
      flow.upstream.resetAndDestroy();
      break;
    case 'client resets':
      await client.got(down);
      flow.client.resetAndDestroy();
      break;
    case 'aborted':
      await client.got(down);
      flow.abort.abort();
      break;
  }
  const { toClient, toUpstream, failure } = await flow.result;
  assert.deepEqual({ side: failure?.side, code: failure?.code }, BLAME[how]);
  assert.deepEqual([await client.ended, await upstream.ended], ['reset', 'reset']);
  if (isFromUpstream) assert.ok(toClient <= down, `${toClient} bytes are said to have left, of ${down}`);
  if (how === 'ends short') assert.equal(toClient, down, 'bytes that left');
  assert.ok(client.count <= toClient + BUFFER_MAX, `${client.count} bytes came, and ${toClient} left`);
  assert.ok(upstream.count <= (mode === 'duplex' ? up : 0), `${upstream.count} bytes at upstream`);
  assert.ok(toUpstream <= up, `${toUpstream} bytes to upstream`);
  await closeAll(flow);
  await Promise.all([sentDown, sentUp]);
}

/** What the flow leaves to its caller is closed, and nothing else was open. */
async function closeAll(flow: TestFlow): Promise<void> {
  flow.clientStream.close();
  await Promise.all([closed(flow.clientStream), closed(flow.upstreamStream)]);
  flow.client.destroy();
  flow.upstream.destroy();
}
