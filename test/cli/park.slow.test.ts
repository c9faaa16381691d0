import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { formatHop } from 'viaduct';
import { PIN } from '../support/identity.js';
import { Child, type LogLine, NodeProcess, PROGRAM } from '../support/processes.js';
import { runInProcess } from '../support/program.js';
import { tempFolder } from '../support/temp.js';
import { testIdentity } from '../support/tunnels.js';

const USAGE = 2;

/** A `viaduct server --park-only`, without waiting for anything. */
class ParkedProcess extends Child {
  constructor(t: TestContext, at: NodeProcess, args: readonly string[], root = tempFolder(t)) {
    const park = ['--park', formatHop(at.hop), '--park-only', '--log-format', 'json'];
    super(t, process.execPath, [PROGRAM, 'server', ...park, ...args], { cwd: root });
  }

  logged(wanted: (line: LogLine) => boolean): Promise<LogLine> {
    return this.until(({ stderr }) =>
      stderr
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as LogLine)
        .find(wanted),
    );
  }
}

test('a node that parks says where it can be reached; both logs tell of its parking', async (t) => {
  const root = tempFolder(t);
  writeFileSync(join(root, 'f'), 'hi');
  const relay = await NodeProcess.start(t, { args: ['--park-for', 'any'] });
  const node = new ParkedProcess(t, relay, ['--name', 'attic', '--pin', PIN], root);
  const { address } = await node.logged(({ msg }) => msg === 'parked');
  assert.equal(address, `http://${formatHop(relay.hop)}/@~attic/`);
  const parked = await relay.until(({ log }) => log.find(({ msg }) => msg === 'parked'));
  assert.deepEqual([parked['name'], parked['pin']], ['attic', PIN]);
  const run = await runInProcess(['get', `${formatHop(relay.hop)}/@~attic/f`, '-o', '-', '--pin', PIN]);
  assert.deepEqual([run.code, run.stdout], [0, 'hi']);
  node.process.kill('SIGTERM');
  assert.equal(await node.ended, 0);
  const left = await relay.until(({ log }) => log.find(({ msg }) => msg === 'no longer parked'));
  assert.equal(left['name'], 'attic');
  // It does not listen, and asks for no port.
  assert.equal(node.stdout.split('\n')[0], 'the server is ready');
});

test('an unknown relay is not asked about; the log has the command that accepts it', async (t) => {
  const relay = await NodeProcess.start(t, { args: ['--park-for', 'any'] });
  const node = new ParkedProcess(t, relay, []);
  const { msg, level, code } = await node.logged(({ msg: text }) => text.startsWith('not parked'));
  assert.deepEqual([level, code], ['warn', 'UNKNOWN_HOST_KEY']);
  assert.ok(msg.includes(`viaduct known add ${formatHop(relay.hop)} ${PIN}`), msg);
});

test('a relay that parks nobody says how it would', async (t) => {
  const relay = await NodeProcess.start(t);
  const node = new ParkedProcess(t, relay, ['--pin', PIN]);
  const { msg } = await node.logged(({ code }) => code === 'PARKING_REFUSED');
  assert.match(msg, /hop 1 .*parks no nodes; start it with --park-for/);
});

test('--park-for FILE is read again after SIGHUP: who is no longer in it has to go', async (t) => {
  const file = join(tempFolder(t), 'pins');
  writeFileSync(file, `${testIdentity().pin} attic\n`);
  const relay = await NodeProcess.start(t, { args: ['--park-for', file] });
  const node = new ParkedProcess(t, relay, ['--pin', PIN, '--name', 'cellar']);
  await node.logged(({ msg }) => msg.includes(`does not park nodes with the pin ${PIN}`));
  writeFileSync(file, `${PIN} cellar\n`);
  relay.process.kill('SIGHUP');
  await node.logged(({ msg }) => msg === 'parked');
  writeFileSync(file, '# nobody\n');
  relay.process.kill('SIGHUP');
  await node.logged(({ msg }) => msg.includes('no longer parks it'));
  writeFileSync(file, 'not a pin\n');
  relay.process.kill('SIGHUP');
  await relay.until(({ log }) => log.some(({ msg }) => msg.startsWith('the present pins stay in use')));
});

for (const [args, message] of [
  [['--name', 'attic'], '--name needs --park'],
  [['--park-only'], '--park-only needs --park'],
  [['--pin', PIN], '--pin needs --park'],
  [['--park', 'h1:1', '--park-only'], 'leave port and --host out'],
  [['--park', 'h1:1/path'], 'without a path'],
  [['--park', 'h1'], 'has no port'],
  [['--park', 'https://h1:1'], 'always in TLS'],
  [['--park', '~attic'], 'cannot be the first hop'],
  [['--park', 'h1:1', '--name', 'a_b'], '"a_b" is not a name'],
  [
    ['--park-for', '/nowhere/pins'],
    'cannot read /nowhere/pins (--park-for takes any, none, or a file of pins)',
  ],
] as const)
  test(`a wrong option of the server: ${args.join(' ')}`, async () => {
    const { code, stderr } = await runInProcess(['server', '0', ...args]);
    assert.equal(code, args[0] === '--park-for' ? 26 : USAGE, stderr);
    assert.ok(stderr.includes(message), stderr);
  });
