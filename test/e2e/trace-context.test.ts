import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatHop, get as getFile } from 'viaduct';
import { newTraceId, traceIdOf, traceparent } from '#src/wire/http/trace-context.js';
import { TRUSTED } from '../support/identity.js';
import { testChain } from '../support/nodes.js';
import { randomFile, tempFolder } from '../support/temp.js';
import { ask, get } from '../support/wire-replies.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

test('the logs of all hops have the trace ID of the client, over any HTTP client and get', async (t) => {
  const root = tempFolder(t);
  randomFile(root, 'file', 1000);
  const { nodes, route } = await testChain(t, 3, { root });
  const [first, ...others] = route;
  assert.ok(first);
  const path = `${others.map((hop) => `/@${formatHop(hop)}`).join('')}/file`;
  await ask(t, first, get(path, `traceparent: 00-${TRACE}-00f067aa0ba902b7-01`));
  for (const node of nodes) assert.equal((await node.event('completed', 0)).traceId, TRACE);

  const told: string[] = [];
  await getFile({ route, path: '/file' }, async () => {}, {
    ...TRUSTED,
    onEvent: (event) => {
      if (event.type === 'trace') told.push(event.traceId);
    },
  });
  for (const node of nodes) assert.equal((await node.event('completed', 1)).traceId, told[0]);
  assert.match(told.join(), /^[0-9a-f]{32}$/);
});

test('a request without a trace ID, or with one that is none, gets one at its first hop', async (t) => {
  const { nodes, route } = await testChain(t, 2, { root: tempFolder(t) });
  const [first, last] = route;
  assert.ok(first && last);
  for (const [number, field] of ['X: y', 'traceparent: 00-0-0-00'].entries()) {
    await ask(t, first, get(`/@${formatHop(last)}/`, field));
    const ids = await Promise.all(nodes.map(async (node) => (await node.event('completed', number)).traceId));
    assert.match(ids[0] ?? '', /^[0-9a-f]{32}$/);
    assert.equal(ids[0], ids[1]);
  }
});

test('trace IDs are read as W3C Trace Context has them', () => {
  const span = '00f067aa0ba902b7';
  for (const [value, traceId] of [
    [`00-${TRACE}-${span}-00`, TRACE],
    [`cc-${TRACE}-${span}-00-more`, TRACE],
    [`ff-${TRACE}-${span}-00`, undefined],
    [`00-${TRACE.toUpperCase()}-${span}-00`, undefined],
    [`00-${'0'.repeat(32)}-${span}-00`, undefined],
    [`00-${TRACE}-${'0'.repeat(16)}-00`, undefined],
    [`00-${TRACE}-${span}`, undefined],
    ['', undefined],
  ] as const) {
    assert.equal(traceIdOf([['Traceparent', value]]), traceId, value);
  }
  assert.equal(traceIdOf([traceparent(TRACE), traceparent(TRACE)]), undefined);
  assert.equal(traceIdOf([traceparent(TRACE)]), TRACE);
  assert.notEqual(newTraceId(), newTraceId());
});
