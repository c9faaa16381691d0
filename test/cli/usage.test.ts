import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { havePeer } from '../support/peers.js';
import { Child, NodeProcess, PROGRAM, runViaduct } from '../support/processes.js';
import { runInProcess } from '../support/program.js';
import { rawConnect, rawServer } from '../support/raw.js';
import { tempFolder } from '../support/temp.js';
import { assertOneLine } from './assertions.js';

const invalid: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['an unknown command', ['serve'], /unknown command 'serve'.* \(see viaduct --help\)$/m],
  ['a location without a command', ['me:secret@h1:1/x'], /unknown command 'me:…@h1:1\/x'/],
  ['an unknown option', ['--bogus'], /unknown option '--bogus' \(see viaduct --help\)$/m],
  ['an unknown option of a command', ['get', '--bogus'], /'--bogus' \(see viaduct get --help\)$/m],
  ['no location', ['ls'], /no location given: .* \(see viaduct ls --help\)$/m],
  ['a misspelt option', ['server', '0', '--rot', '.'], /'--rot' \(Did you mean --root\?\)/],
  ['an unknown short option', ['client', '-x', 'input'], /unknown option '-x'/],
  ['an option without its value', ['server', '0', '--root'], /'--root <dir>' argument missing/],
  ['two ports', ['server', '0', '1'], /too many arguments for 'server'/],
  ['two input files', ['client', 'a', 'b'], /too many arguments for 'client'/],
  ['no input file', ['client'], /missing required argument 'input'/],
  ['a port that is not a number', ['server', 'http'], /"http" is not a port \(0 to 65535\)/],
  ['a port that is empty', ['server', ''], /"" is not a port/],
  ['a port beyond 65535', ['server', '65536'], /"65536" is not a port/],
  ['a port with a sign', ['server', '+80'], /"\+80" is not a port/],
  ['a timeout of 0', ['server', '0', '--timeout', '0'], /--timeout.*Expected seconds, more than 0/],
  ['a negative timeout', ['client', 'x', '--timeout', '-1'], /--timeout/],
  ['a timeout with a unit', ['server', '0', '--stall-timeout', '10s'], /--stall-timeout.*'10s'/],
  ['a timeout that exceeds a timer', ['server', '0', '--grace', '9999999'], /--grace.*'9999999'/],
  ['a timeout that is not a number', ['client', 'x', '--connect-timeout', 'NaN'], /--connect-timeout.*'NaN'/],
  [
    'a limit that is longer for a busy node',
    ['server', '0', '--pause-timeout', '5'],
    /--stall-timeout \(60 s\) is longer than --pause-timeout \(5 s\)/,
  ],
  ['no hops', ['server', '0', '--max-hops', '0'], /--max-hops.*Expected a whole number from 1/],
  ['a fraction of a connection', ['server', '0', '--max-connections', '1.5'], /--max-connections.*'1\.5'/],
  ['a backlog that is not a number', ['server', '0', '--backlog', 'many'], /--backlog.*'many'/],
  ['unknown clients', ['server', '0', '--clients', 'some'], /--clients.*observed, public/],
  ...['server', 'get', 'ls', 'trace', 'identity', 'known'].map(
    (command) =>
      [
        `an empty state folder of ${command}`,
        [command, '--state', ''],
        /--state.*Expected the path/,
      ] as const,
  ),
  [
    'a pin that is none',
    ['get', 'h:1/x', '--pin', 'sha256//\u001b'],
    /: "sha256\/\/\\x1b" is not a pin; expected sha256\/\/ and 44 characters of base64 \(/,
  ],
  ['an unknown log level', ['server', '0', '--log-level', 'loud'], /--log-level.*'loud'/],
  ['an unknown log format', ['server', '0', '--log-format', 'xml'], /--log-format.*'xml'/],
  ['an invalid rule', ['server', '0', '--allow-hop', 'a b'], /"a b" is not a rule: a host, \*\.domain/],
  ['a rule with an invalid port', ['server', '0', '--allow-hop', 'h:9-1'], /"h:9-1" is not a rule/],
  ['an invalid rule to deny', ['server', '0', '--deny-hop', '~a b'], /"~a b" is not a rule/],
  [
    'clients that are none',
    ['server', '0', '--relay-for', 'friends'],
    /"friends" is none of any, none, loop/,
  ],
  ['clients and any', ['server', '0', '--relay-for', 'any,private'], /--relay-for any excludes other values/],
  [
    'relaying for some and none',
    ['server', '0', '--no-relay', '--relay-for', 'any'],
    /--no-relay.*--relay-for/,
  ],
  ['a host name with a port', ['server', '0', '--host-name', 'h:1'], /"h:1" is not a host name, \*\.domain/],
  ['a root that does not exist', ['server', '0', '--root', 'no/such'], /root folder no\/such does not exist/],
  ['a root that is a file', ['server', '0', '--root', PROGRAM], /main\.js is not a folder/],
];
for (const [what, args, line] of invalid) {
  test(`${what}: one line, exit code 2`, async (t) => {
    assertOneLine(await runInProcess(args, { cwd: tempFolder(t) }), 2, line);
  });
}

test('invalid usage as a process: one line, exit code 2', async (t) => {
  for (const [, args, line] of [invalid[0], invalid[4], invalid.at(-1)].filter((row) => row !== undefined)) {
    assertOneLine(await runViaduct(t, args, { cwd: tempFolder(t) }), 2, line);
  }
});

test('a port that is in use: one line, exit code 3', async (t) => {
  const { hop } = await rawServer(t, (socket) => socket.destroy());
  const run = await runViaduct(t, ['server', String(hop.port), '--host', '127.0.0.1']);
  assertOneLine(
    run,
    3,
    new RegExp(`127\\.0\\.0\\.1 port ${hop.port}: another program listens there already`),
  );
});

test('a port that another node uses on all addresses: one line, exit code 3', async (t) => {
  const node = await NodeProcess.start(t, { root: tempFolder(t) });
  const run = await runViaduct(t, ['server', String(node.hop.port)]);
  assertOneLine(run, 3, new RegExp(`cannot listen on port ${node.hop.port}: another program`));
});

test('an address of another machine: one line, exit code 3', async (t) => {
  const run = await runViaduct(t, ['server', '0', '--host', '192.0.2.1']);
  assertOneLine(run, 3, /this machine does not have that address/);
});

test('a port without permission: one line, exit code 3', async (t) => {
  const lowest = Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'));
  if (lowest === 0) return t.skip('all users may use every port here (ip_unprivileged_port_start)');
  const server = [process.execPath, PROGRAM, 'server', String(lowest - 1)];
  const isRoot = process.getuid?.() === 0;
  if (isRoot && !havePeer(t, 'setpriv')) return;
  const withoutPrivilege = ['setpriv', '--bounding-set', '-net_bind_service', ...server];
  const [command = '', ...args] = isRoot ? withoutPrivilege : server;
  const child = new Child(t, command, args);
  const code = await child.ended;
  assertOneLine({ code, stdout: child.stdout, stderr: child.stderr }, 3, /no permission; ports below 1024/);
});

test('port 0 selects a free port, on IPv4 and IPv6, and the log shows it', async (t) => {
  const node = await NodeProcess.start(t, { root: tempFolder(t) });
  assert.ok(node.hop.port > 0);
  assert.equal(node.log[0]?.['address'], `[::]:${node.hop.port}`);
  await rawConnect(t, node.hop);
  await rawConnect(t, { host: '::1', port: node.hop.port });
  await node.until(({ lines }) => lines.length === 3);
  assert.deepEqual(node.lines, ['the server is ready', 'creating new thread 0', 'creating new thread 1']);
});

test('an input file that cannot be read: one line, exit code 26', async (t) => {
  const folder = tempFolder(t);
  const absent = await runInProcess(['client', 'absent.txt'], { cwd: folder });
  assertOneLine(absent, 26, /cannot read absent\.txt: no such file or directory/);
  const aFolder = await runViaduct(t, ['client', '.'], { cwd: folder });
  assertOneLine(aFolder, 26, /cannot read \.: /);
});

test('a root given as a relative path with spaces is served', async (t) => {
  const folder = realpathSync(tempFolder(t));
  mkdirSync(join(folder, 'my files'));
  const node = await NodeProcess.start(t, { root: folder, args: ['--root', 'my files'] });
  assert.equal(node.log[0]?.['root'], join(folder, 'my files'));
});

for (const [what, args] of [
  ['completion', ['completion', 'bash']],
  ['trace', ['trace', '127.0.0.1:1']],
  ['trace --json', ['trace', '--json', '127.0.0.1:1']],
] as const) {
  test(`a full disk under the output of ${what}: one line, exit code 23`, async (t) => {
    const shell = new Child(t, 'sh', ['-c', 'exec "$0" "$@" >/dev/full', process.execPath, PROGRAM, ...args]);
    const code = await shell.ended;
    const { stdout, stderr } = shell;
    assertOneLine({ code, stdout, stderr }, 23, /cannot write standard output: no space left on device/);
  });
}
