import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { havePeer } from '../support/peers.js';
import { Child, type LogLine, NodeProcess, PROGRAM, startClient } from '../support/processes.js';
import { exchange } from '../support/raw.js';
import { randomFile, tempFolder } from '../support/temp.js';
import { onTerminal } from './terminal.js';

const PEER = /^127\.0\.0\.1:\d+$/;

const completedIn = ({ log }: NodeProcess): LogLine | undefined => log.find(({ msg }) => msg === 'completed');

const failedIn = ({ log }: NodeProcess): LogLine | undefined => log.find(({ level }) => level === 'warn');

/** The members of a line that are the same in every run; the others are checked here. */
function steadyFacts({
  time,
  peer,
  seconds,
  connectionId,
  requestId,
  ...facts
}: LogLine): Record<string, unknown> {
  assert.ok(typeof time === 'string');
  assert.match(String(peer), PEER);
  assert.ok(typeof seconds === 'number' && seconds >= 0);
  assert.deepEqual([connectionId, requestId], [0, 0]);
  return facts;
}

test('the log of a transfer: JSON lines with peer, next hop, bytes and seconds', async (t) => {
  const root = tempFolder(t);
  randomFile(root, 'file', 12_345);
  const [first, second] = await Promise.all([
    NodeProcess.start(t, { root: tempFolder(t) }),
    NodeProcess.start(t, { root }),
  ]);
  const client = startClient(t, tempFolder(t), { name: 'file', route: [first.hop, second.hop] });
  assert.equal(await client.ended, 0, client.stderr);
  assert.deepEqual(steadyFacts(await first.until(completedIn)), {
    level: 'info',
    role: 'relay',
    name: 'file',
    nextHop: `127.0.0.1:${second.hop.port}`,
    address: `127.0.0.1:${second.hop.port}`,
    bytes: 12_345,
    msg: 'completed',
  });
  assert.deepEqual(steadyFacts(await second.until(completedIn)), {
    level: 'info',
    role: 'origin',
    name: 'file',
    bytes: 12_345,
    msg: 'completed',
  });
});

test('the log of a failure: code, and the hop that failed', async (t) => {
  const [first, second] = await Promise.all([
    NodeProcess.start(t, { root: tempFolder(t) }),
    NodeProcess.start(t, { root: tempFolder(t) }),
  ]);
  const client = startClient(t, tempFolder(t), { name: 'absent', route: [first.hop, second.hop] });
  assert.equal(await client.ended, 18);
  const hop = `127.0.0.1:${second.hop.port}`;
  assert.deepEqual(steadyFacts(await first.until(failedIn)), {
    level: 'warn',
    role: 'relay',
    name: 'absent',
    nextHop: hop,
    address: hop,
    code: 'CUT_SHORT',
    hopAddress: hop,
    cause: 'connection reset by peer',
    bytes: 0,
    msg: `next hop ${hop} reset the connection after 0 bytes`,
  });
  assert.deepEqual(steadyFacts(await second.until(failedIn)), {
    level: 'warn',
    role: 'origin',
    name: 'absent',
    code: 'NOT_FOUND',
    cause: 'no such file or directory',
    bytes: 0,
    msg: 'there is no file "absent"',
  });
});

test('a name with line breaks and control characters cannot forge lines, in the log or on standard output', async (t) => {
  const node = await NodeProcess.start(t, { root: tempFolder(t) });
  const forged = 'x\u001b[2J\rfile sending in thread 7 completed\u2028';
  assert.equal((await exchange(t, node.hop, `${forged}\n\n`)).how, 'reset');
  const line = await node.until(({ log }) => log.find(({ code }) => code === 'NOT_FOUND'));
  const shown = 'x\\x1b[2J\\x0dfile sending in thread 7 completed\\u{2028}';
  assert.equal(line['name'], shown);
  await node.until(({ lines }) => lines.length === 4);
  assert.equal(node.lines[3], `file sending in thread 0 failed: there is no file "${shown}"`);
});

test('--log-level silent leaves standard error empty, warn leaves the failures', async (t) => {
  for (const [level, count] of [
    ['silent', 0],
    ['warn', 1],
  ] as const) {
    // The port is not logged, so a node that has just stopped provides one.
    const before = await NodeProcess.start(t, { root: tempFolder(t) });
    before.process.kill();
    await before.ended;
    const args = [PROGRAM, 'server', String(before.hop.port), '--log-level', level, '--log-format', 'json'];
    const server = new Child(t, process.execPath, args, { cwd: tempFolder(t) });
    await server.until(({ stdout }) => stdout === 'the server is ready\n');
    assert.equal((await exchange(t, before.hop, 'absent\n\n')).how, 'reset');
    await server.until(({ stdout }) => stdout.includes('failed: there is no file "absent"\n'));
    server.process.kill();
    assert.equal(await server.ended, 0);
    assert.equal(server.stderr.split('\n').length - 1, count);
  }
});

for (const [what, variables, coloured] of [
  ['with colours', { NO_COLOR: '', TERM: 'xterm' }, true],
  ['without colours where NO_COLOR is set', { NO_COLOR: '1', TERM: 'xterm' }, false],
] as const) {
  test(`on a terminal the log is pretty, ${what}`, async (t) => {
    if (!havePeer(t, 'python3')) return;
    const folder = tempFolder(t);
    const stdoutTo = join(folder, 'lines');
    const env = { ...process.env, ...variables };
    const server = onTerminal(t, ['server', '0'], { cwd: folder, stdoutTo, env });
    await server.until(({ stdout }) => /"\[::\]:\d+"/.test(stdout));
    assert.match(server.stdout, /^\S*\[\d\d:\d\d:\d\d\.\d+\]/);
    assert.equal(server.stdout.includes('\u001b['), coloured);
    assert.equal(readFileSync(stdoutTo, 'utf8'), 'the server is ready\n');
    server.process.stdin?.write('\u0003');
    assert.equal(await server.ended, 0);
  });
}

test('the line listening says what is relayed for whom, as options have it', async (t) => {
  for (const [args, relays] of [
    [[], 'for all clients, never further inward than the client'],
    [['--no-relay'], 'for no client'],
    [['--relay-for', 'none'], 'for no client'],
    [
      [
        '--relay-for',
        'loopback,10.0.0.0/8',
        '--relay-for',
        'private',
        '--allow-hop',
        'a',
        '--deny-hop',
        '~attic',
      ],
      'for clients of loopback,10.0.0.0/8,private, to hops that the operator has named, except to what --deny-hop names',
    ],
  ] as const) {
    const { log } = await NodeProcess.start(t, { root: tempFolder(t), args });
    assert.equal(log.find(({ msg }) => msg === 'listening')?.['relays'], relays);
  }
});
