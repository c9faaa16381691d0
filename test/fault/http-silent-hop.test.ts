import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatHop } from 'viaduct';
import { curl, problemOf, proxyStatusOf, urlOf } from '../support/http.js';
import { watchDescriptors } from '../support/leaks.js';
import { testChain } from '../support/nodes.js';
import { havePeer } from '../support/peers.js';
import { rawServer } from '../support/raw.js';

// Also the limit of a request's head, which a busy machine must not miss.
const SILENCE_MS = 1000;

/** Takes the connection, says something or nothing, and nothing more. */
const MANNERS = {
  'says nothing': '',
  'begins a head': 'HTTP/1.1 200 OK\r\nViaduct: 1\r\n',
  'sends an interim reply': 'HTTP/1.1 103 Early Hints\r\nViaduct: 1\r\n\r\n',
} as const;

// All places and manners at once: the limit of a reply's head is 5 s at least.
test('a hop that never replies: the relay next to it says so, though all before it wait', async (t) => {
  if (!havePeer(t, 'curl')) return;
  const { nodes, route } = await testChain(t, 4, { timeoutMs: SILENCE_MS });
  const cases = [2, 3, 4, 5].flatMap((place) =>
    Object.entries(MANNERS).map(([manner, text]) => ({ place, manner, text })),
  );
  const silentHops = await Promise.all(
    cases.map(({ text }) => rawServer(t, (socket) => void socket.resume().write(text))),
  );
  const nothingOpen = watchDescriptors();
  await Promise.all(
    cases.map(async ({ place, manner }, index) => {
      const silent = silentHops[index]?.hop;
      assert.ok(silent);
      const url = urlOf([...route.slice(0, place - 1), silent], '/file');
      const { code, stderr, reply } = await curl(t, url);
      assert.equal(code, 0, `${place}, ${manner}: ${stderr}`);
      assert.equal(reply?.status, 504, `${place}, ${manner}`);
      assert.deepEqual(proxyStatusOf(reply), {
        by: 'viaduct',
        error: 'connection_read_timeout',
        hop: formatHop(silent),
        details: `hop ${place} (${formatHop(silent)}) sent no reply within 6 s`,
      });
      const problem = problemOf(reply);
      assert.deepEqual([problem.hop, problem.address], [place, formatHop(silent)]);
      const failed = nodes.map(({ events }) =>
        events.filter((event) => event.type === 'failed' && event.error.hopAddress === formatHop(silent)),
      );
      assert.deepEqual(
        failed.map((events) => events.length),
        nodes.map((_, node) => (node === place - 2 ? 1 : 0)),
      );
    }),
  );
  await nothingOpen();
});
