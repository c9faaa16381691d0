import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { KEEP_ALIVE_MARGIN_MS, KEEP_ALIVE_MS } from '#src/node/http/read-request.js';
import { requestOf } from '../support/http.js';
import { watchDescriptors } from '../support/leaks.js';
import { testNode } from '../support/nodes.js';
import { rawConnect, readToEnd } from '../support/raw.js';
import { tempFolder } from '../support/temp.js';
import { repliesIn } from '../support/wire-replies.js';

/** Like no other limit, so that its timer is known by it. */
const SILENCE_MS = 123_456;

/** Waits until a timer of so many ms is set. */
function watchTimers(t: TestContext): (ms: number) => Promise<void> {
  const real = globalThis.setTimeout;
  const set: (number | undefined)[] = [];
  const watchers = new Set<() => void>();
  t.mock.method(globalThis, 'setTimeout', (...args: Parameters<typeof setTimeout>) => {
    set.push(args[1]);
    for (const watcher of watchers) watcher();
    return real(...args);
  });
  return (ms) =>
    new Promise((resolve) => {
      const look = (): void => {
        if (set.includes(ms)) resolve();
      };
      watchers.add(look);
      look();
    });
}

for (const [what, early] of [
  ['its first byte comes', 'G'],
  ['half of it comes', 'GET /.viaduct/sta'],
  ['an empty line and its first byte come', '\r\nG'],
] as const) {
  test(
    `a further request has the whole silence limit from the moment at which ${what}`,
    { timeout: 20_000 },
    async (t) => {
      const node = await testNode(t, { root: tempFolder(t), timeoutMs: SILENCE_MS });
      const nothingOpen = watchDescriptors();
      const armed = watchTimers(t);
      const client = await rawConnect(t, node.hop);
      const first = once(client, 'data');
      client.write(requestOf([node.hop], '/.viaduct/status', []));
      await first;
      await armed(KEEP_ALIVE_MS + KEEP_ALIVE_MARGIN_MS);
      client.write(early);
      await armed(SILENCE_MS);
      const ending = readToEnd(client);
      client.write(requestOf([node.hop], '/.viaduct/status').slice(early.replace('\r\n', '').length));
      const { bytes, how } = await ending;
      assert.equal(how, 'end');
      assert.deepEqual(
        repliesIn(bytes).map(({ status }) => status),
        [200],
      );
      t.mock.reset();
      client.destroy();
      await nothingOpen();
    },
  );
}

test(
  'a further request that is not whole in that time is answered with 408',
  { timeout: 20_000 },
  async (t) => {
    const node = await testNode(t, { root: tempFolder(t), timeoutMs: 432 });
    const armed = watchTimers(t);
    const client = await rawConnect(t, node.hop);
    const first = once(client, 'data');
    client.write(requestOf([node.hop], '/.viaduct/status', []));
    await first;
    await armed(KEEP_ALIVE_MS + KEEP_ALIVE_MARGIN_MS);
    client.write('GET ');
    const ending = readToEnd(client);
    const [reply] = repliesIn((await ending).bytes);
    assert.equal(reply?.status, 408);
    assert.match(reply.body.toString(), /not whole within 0\.432 s/);
    t.mock.reset();
    client.destroy();
  },
);

for (const [what, between] of [
  ['with the first request', ['\r\n']],
  ['after the reply', ['', '\r\n']],
  ['in two halves', ['\r', '\n']],
  ['in two halves after the reply', ['', '\r', '\n']],
] as const) {
  test(`an empty line before a second request, ${what}, is ignored`, async (t) => {
    const node = await testNode(t, { root: tempFolder(t) });
    const nothingOpen = watchDescriptors();
    const client = await rawConnect(t, node.hop);
    const replied = once(client, 'data');
    const [early, ...later] = between;
    client.write(requestOf([node.hop], '/.viaduct/status', []) + early);
    const [first] = (await replied) as [Buffer];
    for (const part of later) {
      client.write(part);
      // The node has the part before the next one leaves: one turn at each end.
      for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
    }
    const ending = readToEnd(client);
    client.write(requestOf([node.hop], '/.viaduct/status'));
    const { bytes, how } = await ending;
    assert.equal(how, 'end');
    const statuses = repliesIn(Buffer.concat([first, bytes])).map(({ status }) => status);
    assert.deepEqual(statuses, [200, 200]);
    client.destroy();
    await nothingOpen();
  });

  test(`an empty line ${what} and FIN are no request that is not whole`, async (t) => {
    const node = await testNode(t, { root: tempFolder(t) });
    const nothingOpen = watchDescriptors();
    const client = await rawConnect(t, node.hop);
    const ending = readToEnd(client);
    client.end(requestOf([node.hop], '/.viaduct/status', []) + between.join(''));
    const { bytes, how } = await ending;
    assert.equal(how, 'end');
    assert.equal(repliesIn(bytes).length, 1);
    assert.ok(!node.events.some(({ type }) => type === 'failed'));
    client.destroy();
    await nothingOpen();
  });
}
