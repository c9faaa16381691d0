import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type HostHop, formatHop } from 'viaduct';
import { BROKEN_HOPS, type BrokenHop } from '../support/broken-hops.js';
import { curl, problemOf, proxyStatusOf, urlOf } from '../support/http.js';
import { settles, watchDescriptors } from '../support/leaks.js';
import { type TestNode, testChain } from '../support/nodes.js';
import { havePeer } from '../support/peers.js';
import { tempFolder } from '../support/temp.js';

// A machine without a name server must not wait for one (resolv.conf(5)).
process.env['RES_OPTIONS'] = 'timeout:1 attempts:1';
const HOPS = 5;
const PLACES = [2, 3, 4, 5];

/** @param since events before it are of another hop, whose port this one may have got */
function failuresAt(node: TestNode, address: string, since: number): string[] {
  return node.events
    .slice(since)
    .flatMap((event) =>
      event.type === 'failed' && event.error.hopAddress === address ? [event.error.code] : [],
    );
}

/** Hop `place` of five fails; what curl is told of it, by GET and by HEAD. */
async function failsAt(t: TestContext, nodes: readonly TestNode[], place: number, broken: BrokenHop) {
  const hop = await broken.at(t, place);
  const since = nodes.map(({ events }) => events.length);
  const route: readonly HostHop[] = nodes.map((node) => node.hop).with(place - 1, hop);
  const url = urlOf(route, '/file');
  const [get, head] = await Promise.all([curl(t, url), curl(t, url, ['-I'])]);
  for (const { code, stderr, reply } of [get, head]) {
    assert.equal(code, 0, stderr);
    assert.ok(reply);
    assert.equal(reply.status, broken.status);
    assert.equal(reply.fields.get('viaduct'), '1');
    const { details, ...status } = proxyStatusOf(reply) ?? {};
    assert.deepEqual(status, { by: 'viaduct', error: broken.type, hop: formatHop(hop) });
    const label = `hop ${place} (${formatHop(hop)}) `;
    assert.ok(details !== undefined && details.startsWith(label), details);
    assert.match(details.slice(label.length), broken.reason);
  }
  assert.ok(get.reply);
  assert.equal(head.reply?.body.length, 0);
  const { detail, ...problem } = problemOf(get.reply);
  assert.equal(detail, proxyStatusOf(get.reply)?.['details']);
  assert.deepEqual(
    [problem.status, problem.code, problem.hop, problem.address],
    [broken.status, broken.code, place, formatHop(hop)],
  );
  await onlyTheNeighbourFailed(nodes, since, place, formatHop(hop), broken);
}

/** The relay next to it has answered and logged; those before it have passed on a reply like any other. */
async function onlyTheNeighbourFailed(
  nodes: readonly TestNode[],
  since: readonly number[],
  place: number,
  address: string,
  { code }: BrokenHop,
): Promise<void> {
  const expected = nodes.map((_, index) => (index === place - 2 ? [code, code] : []));
  await settles(
    () => nodes.map((node, index) => failuresAt(node, address, since[index] ?? 0)),
    (found) => JSON.stringify(found) === JSON.stringify(expected),
    (found) => `failures of the nodes: ${JSON.stringify(found)}`,
  );
}

test('a hop that fails before its reply is named by number, address and reason', async (t) => {
  if (!havePeer(t, 'curl')) return;
  const { nodes } = await testChain(t, HOPS, { root: tempFolder(t), connectTimeoutMs: 1000 });
  for (const broken of BROKEN_HOPS) {
    await t.test(broken.what, async (st) => {
      await Promise.all(PLACES.map((place) => failsAt(st, nodes, place, broken)));
    });
  }
  for (const node of nodes) {
    const others = node.events.filter(
      (event) => event.type === 'failed' && !BROKEN_HOPS.some(({ code }) => code === event.error.code),
    );
    assert.deepEqual(others, []);
  }
});

test('the first hop: what curl makes of it by itself', async (t) => {
  if (!havePeer(t, 'curl')) return;
  for (const { what, at, exit } of BROKEN_HOPS) {
    if (exit === undefined) continue;
    const { code, stderr } = await curl(t, urlOf([await at(t, 1)], '/file'), ['--connect-timeout', '1']);
    assert.equal(code, exit, `${what}: ${stderr}`);
  }
});

test('a file that the origin does not have, at every hop', async (t) => {
  if (!havePeer(t, 'curl')) return;
  const { nodes, route } = await testChain(t, HOPS, { root: tempFolder(t) });
  const nothingOpen = watchDescriptors();
  for (const place of [1, ...PLACES]) {
    const url = urlOf(route.slice(0, place), '/no/such%20file');
    const [get, head] = await Promise.all([curl(t, url), curl(t, url, ['-I'])]);
    assert.deepEqual([get.reply?.status, head.reply?.status], [404, 404]);
    assert.ok(get.reply);
    const problem = problemOf(get.reply);
    assert.deepEqual([problem.hop, problem.code, problem.address], [place, 'NOT_FOUND', undefined]);
    assert.equal(problem.detail, `hop ${place}: there is no file "no/such file"`);
    // Nothing went wrong between the nodes.
    assert.equal(get.reply.fields.get('proxy-status'), undefined);
    const { error } = (await nodes[place - 1]?.event('failed')) ?? {};
    assert.equal(error?.code, 'NOT_FOUND');
  }
  await nothingOpen();
});

test('the same sentence as text and as a page, by Accept', async (t) => {
  if (!havePeer(t, 'curl')) return;
  const { route } = await testChain(t, 3, { root: tempFolder(t) });
  const url = urlOf([...route, { host: '127.0.0.1', port: 22 }], '/file');
  const sentence = 'op 4 (127.0.0.1:22) is prohibited: ports below 1024 are not dialled; --allow-hop';
  for (const [accept, type, text] of [
    ['text/plain', 'text/plain; charset=utf-8', `h${sentence}`],
    ['text/html,*/*;q=0.1', 'text/html; charset=utf-8', `<h1>403 Forbidden</h1><p>H${sentence}`],
    ['application/json', 'application/problem+json', `"detail":"h${sentence}`],
    ['image/png', 'application/problem+json', `"detail":"h${sentence}`],
  ] as const) {
    const { reply } = await curl(t, url, ['-H', `Accept: ${accept}`]);
    assert.equal(reply?.status, 403);
    assert.equal(reply.fields.get('content-type'), type);
    assert.ok(reply.body.includes(text), reply.body.toString());
  }
});
