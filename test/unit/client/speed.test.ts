import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { measureSpeeds, slowestLink } from '#src/client/speed.js';
import { failureOf } from '../../support/failures.js';
import { faultProxy } from '../../support/fault-proxy.js';
import { testChain, testNode } from '../../support/nodes.js';
import { exchange } from '../../support/raw.js';
import { parseReply, requestOf } from '../../support/http.js';
import { tempFolder } from '../../support/temp.js';
import { WIRES } from '../../support/wires.js';

for (const wire of WIRES)
  test(`the link that is slow is named, ${wire.name}`, async (t) => {
    const { route } = await testChain(t, 3, { root: tempFolder(t) });
    const [first, second, third] = route;
    assert.ok(first && second && third);
    // 2 MB/s; the others are some hundred times as fast.
    const slow = await faultProxy(t, second, { kind: 'slow', size: 20_000, everyMs: 10 });
    const seen: number[] = [];
    const speeds = await measureSpeeds([first, slow.hop, third], {
      ...wire.options,
      durationMs: 2400,
      onSpeed: ({ number }) => seen.push(number),
    });
    assert.deepEqual(seen, [1, 2, 3]);
    const slowest = slowestLink(speeds);
    assert.equal(slowest?.number, 2);
    assert.ok(slowest.bytesPerSecond < 4_000_000, `${slowest.bytesPerSecond} bytes/s`);
  });

test('a node may refuse', async (t) => {
  const { hop } = await testNode(t, { root: tempFolder(t), speedTest: false });
  const error = await failureOf(measureSpeeds([hop], WIRES[0]?.options));
  assert.equal(error.code, 'FORBIDDEN');
  assert.match(error.message, /^hop 1 \(.*\): speed tests are not served here \(--no-speed-test\)$/);
});

describe('a speed test at a node', () => {
  for (const [path, status] of [
    ['/.viaduct/speed/1000', 200],
    ['/.viaduct/speed/', 404],
    ['/.viaduct/speed/x', 404],
    ['/.viaduct/speed/-1', 404],
    ['/.viaduct/speed', 404],
  ] as const) {
    test(`${path} is ${status}`, async (t) => {
      const { hop } = await testNode(t, { root: tempFolder(t) });
      const reply = parseReply((await exchange(t, hop, requestOf([hop], path))).bytes);
      assert.equal(reply.status, status);
      if (status === 200) assert.equal(reply.body.length, 1000);
    });
  }

  test('of any size sends 1 GiB at most', async (t) => {
    const { hop } = await testNode(t, { root: tempFolder(t) });
    const head = requestOf([hop], '/.viaduct/speed/999999999999', undefined, 'HEAD');
    const reply = parseReply((await exchange(t, hop, head)).bytes);
    assert.equal(reply.fields.get('content-length'), String(1024 ** 3));
  });
});

test('without a slow link it is the first that limits all', () => {
  const hop = { host: 'h', port: 1 };
  const speeds = [10, 9.8, 10.1].map((bytesPerSecond, index) => ({ number: index + 1, hop, bytesPerSecond }));
  assert.equal(slowestLink(speeds)?.number, 1);
});
