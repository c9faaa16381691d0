import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { type Hop, type NodeOptions, type Route, get } from 'viaduct';
import { failureOf } from '../support/failures.js';
import { fetchFailure } from '../support/fetch.js';
import { type Fault, faultProxy } from '../support/fault-proxy.js';
import { isWhole, parseReply, requestOf } from '../support/http.js';
import { watchDescriptors } from '../support/leaks.js';
import { type TestNode, testChain, testNode } from '../support/nodes.js';
import { parkedNode } from '../support/parking.js';
import { exchange } from '../support/raw.js';
import { randomFile, tempFolder } from '../support/temp.js';
import { WIRES } from '../support/wires.js';

const SIZE = 3_000_000;
/** Beyond any head and any handshake. */
const IN_BODY = 1_000_000;
const HOPS = 3;
const PLACES = [2, 3];
const SHORT_MS = 300;

/** What breaks, and how the relay before the parked hop reports it. */
const FAULTS: readonly {
  readonly kind: 'reset' | 'cut' | 'stall';
  readonly code: 'CUT_SHORT' | 'TIMEOUT';
  readonly reason: RegExp;
}[] = [
  { kind: 'reset', code: 'CUT_SHORT', reason: /^reset the connection after \d+( of \d+)? bytes$/ },
  { kind: 'cut', code: 'CUT_SHORT', reason: /^(closed|reset) the connection after \d+( of \d+)? bytes$/ },
  { kind: 'stall', code: 'TIMEOUT', reason: /^sent nothing for 0\.3 s$/ },
];

interface BrokenRoute {
  readonly nodes: readonly TestNode[];
  readonly route: Route;
  readonly place: number;
  readonly root: string;
}

/** Hop `place` of a route is parked at the one before it, over a line on which this happens to what the parked node sends. */
async function brokenRoute(t: TestContext, place: number, fault: Fault): Promise<BrokenRoute> {
  const root = tempFolder(t);
  const isStalled = fault.kind === 'stall';
  const limits = (index: number): Partial<NodeOptions> =>
    isStalled ? { timeoutMs: index === place - 2 ? SHORT_MS : 600_000 } : {};
  const nodes = await Promise.all(
    Array.from({ length: HOPS }, (_, index) => testNode(t, { root, parkFor: 'any', ...limits(index) })),
  );
  const relay = nodes[place - 2];
  assert.ok(relay);
  const proxy = await faultProxy(t, relay.hop, { ...fault, direction: 'up' });
  const node = { root, allowHops: ['127.0.0.0/8'] };
  const { hop } = await parkedNode(t, [proxy.hop], { name: 'attic', node });
  const route = nodes.map((each): Hop => each.hop).with(place - 1, hop);
  return { nodes, route, place, root };
}

/** The relay before the parked hop names it. */
async function blamed({ nodes, place }: BrokenRoute, label: string) {
  const { error } = (await nodes[place - 2]?.event('failed')) ?? {};
  assert.ok(error);
  assert.equal(error.hopAddress, '~attic');
  assert.ok(error.message.startsWith(`${label} `), error.message);
  return { code: error.code, reason: error.message.slice(label.length + 1) };
}

for (const place of PLACES)
  for (const { kind, code, reason } of FAULTS) {
    test(`${kind} in the body of hop ${place}, a parked one: raw HTTP`, async (t) => {
      const broken = await brokenRoute(t, place, { kind, at: IN_BODY });
      const file = randomFile(broken.root, 'file', SIZE);
      const [first] = broken.nodes;
      assert.ok(first);
      const { bytes } = await exchange(t, first.hop, requestOf(broken.route, '/file'));
      const reply = parseReply(bytes);
      assert.equal(reply.status, 200);
      assert.ok(!isWhole(reply) && file.subarray(0, reply.body.length).equals(reply.body));
      const found = await blamed(broken, `hop ${place} (~attic)`);
      assert.equal(found.code, code);
      assert.match(found.reason, reason);
    });

    // Each fault over both wires, at one place each.
    for (const wire of WIRES.filter((_, index) => index === place % 2))
      test(`${kind} in the body of hop ${place}, a parked one: get, ${wire.name}`, async (t) => {
        const broken = await brokenRoute(t, place, { kind, at: IN_BODY });
        randomFile(broken.root, 'file', SIZE);
        const folder = tempFolder(t);
        const error = await failureOf(
          get({ route: broken.route, path: '/file' }, join(folder, 'file'), { ...wire.options, retries: 0 }),
        );
        assert.equal(error.code, 'CUT_SHORT');
        assert.deepEqual(readdirSync(folder), ['file.part', 'file.part.json']);
        // To a relay FIN is the end of a tunnel like any other; the client knows.
        if (kind === 'cut' && wire.name === 'encrypted') return;
        const found = await blamed(broken, `hop ${place} (~attic)`);
        assert.equal(found.code, code);
        assert.match(found.reason, reason);
      });
  }

describe('the classic wire', () => {
  for (const place of PLACES)
    for (const kind of ['reset', 'stall'] as const)
      test(`${kind} in the file of hop ${place}, a parked one`, async (t) => {
        const broken = await brokenRoute(t, place, { kind, at: IN_BODY });
        randomFile(broken.root, 'file', SIZE);
        assert.equal((await fetchFailure('file', broken.route)).code, 'CUT_SHORT');
        const found = await blamed(broken, 'next hop ~attic');
        assert.equal(found.code, kind === 'stall' ? 'TIMEOUT' : 'CUT_SHORT');
      });
});

test('get resumes where a parked hop broke', async (t) => {
  const root = tempFolder(t);
  randomFile(root, 'file', SIZE);
  const relay = await testNode(t, { parkFor: 'any' });
  // Connections of the parked node in turn: of those for its file the first two break.
  let broken = 0;
  const proxy = await faultProxy(t, relay.hop, () => ({
    kind: 'reset',
    at: (broken += 1) < 10 ? IN_BODY : Infinity,
    direction: 'up',
  }));
  const nothingOpen = watchDescriptors();
  const parked = await parkedNode(t, [proxy.hop], { name: 'attic', node: { root } });
  const offsets: number[] = [];
  for (const { options } of WIRES) {
    const path = join(tempFolder(t), 'file');
    await get({ route: [relay.hop, parked.hop], path: '/file' }, path, {
      ...options,
      onEvent: (event) => {
        if (event.type === 'reply') offsets.push(event.offset);
      },
    });
  }
  assert.ok(offsets.filter((offset) => offset > 0).length >= 2, offsets.join());
  await parked.leave();
  await parked.node.close(0);
  await nothingOpen();
});

test('a client that leaves frees the connection of the parked node', async (t) => {
  const root = tempFolder(t);
  randomFile(root, 'file', 30_000_000);
  const { nodes } = await testChain(t, 1, { parkFor: 'any' });
  const [relay] = nodes;
  assert.ok(relay);
  const parked = await parkedNode(t, [relay.hop], { name: 'attic', node: { root } });
  const leave = new AbortController();
  const route = [relay.hop, parked.hop];
  const got = get({ route, path: '/file' }, join(tempFolder(t), 'file'), {
    plain: true,
    signal: leave.signal,
    onEvent: (event) => {
      if (event.type === 'reply') leave.abort();
    },
  });
  await assert.rejects(got);
  assert.equal((await parked.node.event('failed')).error.code, 'CLIENT_GONE');
  assert.equal((await relay.event('failed')).error.code, 'CLIENT_GONE');
});
