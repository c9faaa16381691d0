import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type HostHop, formatHop } from 'viaduct';
import { PINNED } from '../support/identity.js';
import { testChain } from '../support/nodes.js';
import { runInProcess } from '../support/program.js';
import { rawServer } from '../support/raw.js';
import { tempFolder } from '../support/temp.js';

/* Nodes of version 0.1 and plain servers: the message says what to do. */

async function server(t: TestContext, answer: (socket: Socket) => void): Promise<HostHop> {
  const { hop } = await rawServer(t, (socket) => {
    socket.on('error', () => {});
    socket.once('data', () => answer(socket));
  });
  return hop;
}

const HINT = 'nodes before version 0.2 need --plain, without encryption';
const FILE = 'HTTP/1.1 200 OK\r\nViaduct: 1\r\nContent-Length: 3\r\n\r\nhi\n';

for (const [what, answer, code, line] of [
  [
    'resets',
    (socket: Socket) => socket.resetAndDestroy(),
    18,
    `broke the connection during the TLS handshake: connection reset by peer (it may have reached its limit of connections (--max-connections); ${HINT}); --retry-connect retries this`,
  ],
  [
    'closes',
    (socket: Socket) => socket.end(),
    18,
    `broke the connection during the TLS handshake: the peer closed the connection (${HINT}); --retry-connect retries this`,
  ],
  [
    'answers with HTTP',
    (socket: Socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    35,
    `does not speak TLS (${HINT})`,
  ],
] as const) {
  test(`a hop that ${what} when TLS begins`, async (t) => {
    const hop = await server(t, answer);
    const run = await runInProcess(['get', ...PINNED, `${formatHop(hop)}/file`], { cwd: tempFolder(t) });
    assert.deepEqual(run, { code, stdout: '', stderr: `viaduct: hop 1 (${formatHop(hop)}) ${line}\n` });
  });
}

test('a relay that sends the file instead of a tunnel', async (t) => {
  const hop = await server(t, (socket) => socket.end(FILE));
  const where = `${formatHop(hop)}/@${formatHop(hop)}/file`;
  assert.deepEqual(await runInProcess(['get', ...PINNED, where], { cwd: tempFolder(t) }), {
    code: 56,
    stdout: '',
    stderr: `viaduct: hop 1 (${formatHop(hop)}) answered 200 and builds no tunnel: an older version? (${HINT})\n`,
  });
  const plain = await runInProcess(['get', '--plain', '--no-verify', '-q', where], { cwd: tempFolder(t) });
  assert.deepEqual(plain, { code: 0, stdout: '', stderr: '' });
});

test('an old node behind a new one', async (t) => {
  const { route } = await testChain(t, 1, { root: tempFolder(t) });
  const old = await server(t, (socket) => socket.resetAndDestroy());
  const where = `${[...route, old].map(formatHop).join('/@')}/file`;
  const run = await runInProcess(['get', ...PINNED, where], { cwd: tempFolder(t) });
  assert.match(run.stderr, new RegExp(`^viaduct: hop 2 \\(${formatHop(old)}\\) .* \\(${HINT}\\);`));
  assert.equal(run.code, 18);
});

test('an old relay behind a new one', async (t) => {
  const { route } = await testChain(t, 1, { root: tempFolder(t) });
  const old = await server(t, (socket) => socket.end(FILE));
  const where = `${[...route, old, old].map(formatHop).join('/@')}/file`;
  const run = await runInProcess(['get', ...PINNED, where], { cwd: tempFolder(t) });
  assert.match(run.stderr, new RegExp(`^viaduct: hop 2 \\(${formatHop(old)}\\) .* \\(${HINT}\\)$`, 'm'));
  assert.equal(run.code, 56);
});

test('trace and ls have the hint too', async (t) => {
  const hop = await server(t, (socket) => socket.resetAndDestroy());
  for (const command of ['trace', 'ls']) {
    const { stderr, code } = await runInProcess([command, ...PINNED, `${formatHop(hop)}/`]);
    assert.ok(stderr.endsWith(`(--max-connections); ${HINT})\n`), stderr);
    assert.equal(code, 18);
  }
});
