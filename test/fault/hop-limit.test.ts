import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatHop } from 'viaduct';
import { parseReply, problemOf, requestOf } from '../support/http.js';
import { fetchFailure, messageOf } from '../support/fetch.js';
import { testNode } from '../support/nodes.js';
import { exchange } from '../support/raw.js';
import { runInProcess } from '../support/program.js';
import { WIRES } from '../support/wires.js';

test('client and node count the same hops of a route, and name the limit of whoever refuses it', async (t) => {
  const node = await testNode(t, { maxHops: 3 });
  const route = Array.from({ length: 5 }, () => node.hop);
  const url = `${formatHop(node.hop)}${`/@${formatHop(node.hop)}`.repeat(4)}/x`;
  const counted = 'the route has 5 hops; at most 3 are allowed';
  for (const { args } of WIRES) {
    const own = await runInProcess(['get', ...args, '--max-hops', '3', '-o', '-', url]);
    assert.ok(own.stderr.includes(`${counted} (--max-hops)`), own.stderr);
    // The node counts them where the client does not: over both, it is the first one.
    const refused = await runInProcess(['get', ...args, '-o', '-', url]);
    assert.ok(refused.stderr.includes(`hop 1 (${formatHop(node.hop)})`), refused.stderr);
    assert.ok(refused.stderr.includes(`${counted} at hop 1 (--max-hops)`), refused.stderr);
  }
  const { detail, hop } = problemOf(
    parseReply((await exchange(t, node.hop, requestOf(route, '/x', ['Connection: close']))).bytes),
  );
  assert.ok(detail.includes(`${counted} at hop 1 (--max-hops)`), detail);
  assert.equal(hop, 1);
  await exchange(t, node.hop, messageOf('x', route.slice(1)));
  assert.equal((await node.event('failed', 1)).error.message, `${counted} at hop 1 (--max-hops)`);
  const { message } = await fetchFailure('x', route);
  assert.match(message, /limit of connections \(--max-connections\) or of hops \(--max-hops\)/);
});

test('a node further on counts the hops before it too', async (t) => {
  const strict = await testNode(t, { maxHops: 3 });
  const first = await testNode(t);
  const route = [first.hop, strict.hop, first.hop, first.hop];
  const reply = await exchange(t, first.hop, requestOf(route, '/x', ['Connection: close']));
  const { detail } = problemOf(parseReply(reply.bytes));
  assert.match(detail, /the route has 4 hops; at most 3 are allowed at hop 2 \(--max-hops\)/);
});
