import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { type HostHop, formatHop, formatInput } from 'viaduct';
import { VERSION } from '#src/version.js';
import { refusingHop } from '../support/black-hole.js';
import { httpHop } from '../support/http-hop.js';
import { urlOf } from '../support/http.js';
import { testChain } from '../support/nodes.js';
import { havePeer } from '../support/peers.js';
import { runViaduct } from '../support/processes.js';
import { runInProcess } from '../support/program.js';
import { tempFolder } from '../support/temp.js';
import { assertOneLine } from './assertions.js';
import { onTerminal } from './terminal.js';
import { PINNED } from '../support/identity.js';

/** Replaces ports and times, which differ between runs, with text of the same width. */
function masked(text: string): string {
  return text
    .replace(/ *\+?\d+\.\d ms/g, (time) => `${time.includes('+') ? '+' : ''}1.2 ms`.padStart(time.length))
    .replace(/127\.0\.0\.1:\d+/g, (address) => `127.0.0.1:${'1'.repeat(address.length - 10)}`)
    .replace(/(?<="(?:roundTrip|link)Ms":)\d+(?:\.\d{1,2})?/g, '1.2');
}

const VERSION_CELL = VERSION.padEnd('version'.length);

/** A pin is that of the last hop alone. */
const ALL_UP = `hop  address          version  round trip        link  key      state
  1  127.0.0.1:11111  ${VERSION_CELL}      1.2 ms     +1.2 ms  unknown  up
  2  127.0.0.1:11111  ${VERSION_CELL}      1.2 ms     +1.2 ms  unknown  up
  3  127.0.0.1:11111  ${VERSION_CELL}      1.2 ms     +1.2 ms  known    up
`;

const ALL_UP_PLAIN = ALL_UP.replaceAll(/unknown|known  /g, '-      ');

/** On a terminal of 40 columns. */
const ALL_UP_NARROW = `hop  address           round trip
  1  127.0.0.1:11111       1.2 ms
  2  127.0.0.1:11111       1.2 ms
  3  127.0.0.1:11111       1.2 ms
`;

const SECOND_DOWN = `hop  address          version  round trip        link  key      state
  1  127.0.0.1:11111  ${VERSION_CELL}      1.2 ms     +1.2 ms  unknown  up
  2  127.0.0.1:11111  -                 -           -  -        down
  3  127.0.0.1:11111  -                 -           -  -        not reached
`;

const SECOND_DOWN_JSON = `{"hopNumber":1,"hopAddress":"127.0.0.1:11111","state":"up","version":"${VERSION}","key":"unknown","roundTripMs":1.2,"linkMs":1.2}
{"hopNumber":2,"hopAddress":"127.0.0.1:11111","state":"down","code":"REFUSED","reason":"hop 2 (127.0.0.1:11111) refused the connection"}
{"hopNumber":3,"hopAddress":"127.0.0.1:11111","state":"unreached"}
`;

const REFUSED = 'viaduct: hop 2 (127.0.0.1:11111) refused the connection (is a node running there?)\n';

test('the transcripts of a route that is up and of one that is down, as a table and as JSON', async (t) => {
  const { route } = await testChain(t, 3);
  const run = async (to: readonly HostHop[], ...args: readonly string[]) => {
    const { code, stdout, stderr } = await runViaduct(t, ['trace', urlOf(to, '/dir/file'), ...args]);
    return { code, stdout: masked(stdout), stderr: masked(stderr) };
  };
  assert.deepEqual(await run(route, ...PINNED), { code: 0, stdout: ALL_UP, stderr: '' });
  assert.deepEqual(await run(route, '--plain'), { code: 0, stdout: ALL_UP_PLAIN, stderr: '' });
  const broken = route.with(1, await refusingHop(t));
  assert.deepEqual(await run(broken, ...PINNED, '--probes', '1'), {
    code: 7,
    stdout: SECOND_DOWN,
    stderr: REFUSED,
  });
  assert.deepEqual(await run(broken, ...PINNED, '--json'), {
    code: 7,
    stdout: SECOND_DOWN_JSON,
    stderr: REFUSED,
  });
});

test('the forms of a route: separate relays, or an input file', async (t) => {
  const { route } = await testChain(t, 3);
  const [first, second, third] = route.map(formatHop);
  assert.ok(third);
  const folder = tempFolder(t);
  writeFileSync(join(folder, 'input.txt'), formatInput({ name: 'absent', route }));
  for (const args of [
    ['-J', `${first},${second}`, third],
    ['-J', `${first}`, '-J', `${second}`, third],
    ['--route', 'input.txt'],
  ]) {
    const { code, stdout, stderr } = await runInProcess(['trace', ...PINNED, ...args], { cwd: folder });
    assert.deepEqual([code, masked(stdout), stderr], [0, ALL_UP, '']);
  }
});

test('invalid usage: one line, and no table', async () => {
  for (const [args, line] of [
    [[], /no location given: expected host:port\/path, or --route FILE/],
    [['127.0.0.1:9', '--probes', '0'], /--probes.*Expected a whole number from 1/],
    [['127.0.0.1:9', '-J', '127.0.0.1:9', '--max-hops', '1'], /the route has 2 hops; at most 1 are allowed/],
  ] as const) {
    assertOneLine(await runInProcess(['trace', ...PINNED, ...args]), 2, line);
  }
});

test('a remote version is printed safely', async (t) => {
  const body = JSON.stringify({ version: `\u001b[2J${'9'.repeat(100)}` });
  const { hop } = await httpHop(t, (socket) =>
    socket.end(`HTTP/1.1 200 OK\r\nViaduct: 1\r\nContent-Length: ${body.length}\r\n\r\n${body}`),
  );
  const { code, stdout } = await runViaduct(t, ['trace', '--plain', formatHop(hop), '--probes', '1']);
  assert.equal(code, 0);
  assert.match(stdout, / {2}\\x1b\[2J9{16}… +\d/);
});

for (const columns of [40, 80, 200]) {
  test(`on a terminal of ${columns} columns pending hops are drawn below the table and erased`, async (t) => {
    if (!havePeer(t, 'python3')) return;
    const { route } = await testChain(t, 3);
    const child = onTerminal(t, ['trace', ...PINNED, urlOf(route, '/')], { columns });
    assert.equal(await child.ended, 0);
    const seen = stripVTControlCharacters(child.stdout);
    assert.match(seen, / 3 {2}127\.0\.0\.1:\d+ …\r\n/);
    // The three rows of pending hops are erased one by one, each before a row of the table is printed.
    const rows = masked(seen)
      .split(/[\r\n]+/)
      .filter((row) => !row.endsWith('…'));
    assert.equal(rows.join('\n'), columns === 40 ? ALL_UP_NARROW : ALL_UP);
    for (const row of seen.split(/[\r\n]+/)) assert.ok(row.length < columns, row);
    assert.ok(
      !stripVTControlCharacters(child.stdout.slice(child.stdout.lastIndexOf('\u001b[J'))).includes('…'),
    );
  });
}

test('a route that is down fits a terminal of 40 columns, with long names too', async (t) => {
  if (!havePeer(t, 'python3')) return;
  const { route } = await testChain(t, 1);
  const broken = [...route, { host: `${'long-name.'.repeat(5)}example`, port: 9000 }];
  const child = onTerminal(t, ['trace', ...PINNED, urlOf(broken, '/'), '--probes', '1'], { columns: 40 });
  await child.ended;
  const rows = stripVTControlCharacters(child.stdout).split(/[\r\n]+/);
  assert.ok(
    rows.some((row) => /^ {2}2 {2}long-name\.\S+… +down$/.test(row)),
    rows.join('\n'),
  );
  for (const row of rows.filter((text) => !text.startsWith('viaduct:'))) assert.ok(row.length < 40, row);
});

/** It was printed as the state `down` of a hop, which had answered. */
test('a local file that cannot be used is no state of a hop', async (t) => {
  const { route } = await testChain(t, 2);
  const state = tempFolder(t);
  writeFileSync(join(state, 'known_hosts'), 'garbage\n', { mode: 0o600 });
  const where = urlOf(route, '/');
  for (const more of [[], ['--json']]) {
    const run = await runInProcess(['trace', where, '--state', state, ...more]);
    assert.equal(run.code, 26);
    assert.match(run.stderr, /^viaduct: cannot read \S+\/known_hosts: line 1 is not .*\n$/);
    assert.doesNotMatch(run.stdout, /127\.0\.0\.1/);
  }
  if (!havePeer(t, 'python3')) return;
  const child = onTerminal(t, ['trace', where, '--state', state]);
  assert.equal(await child.ended, 26);
  assert.ok(child.stdout.includes('\u001b[2A\u001b[J'), 'the hops that wait are erased');
  assert.match(child.stdout, /viaduct: cannot read /);
});

const OTHER_PIN = `sha256//${Buffer.alloc(32).toString('base64')}`;

test('a wrong pin is the state `wrong key`, and in JSON `down` with its code', async (t) => {
  const { route } = await testChain(t, 2);
  const args = ['trace', urlOf(route, '/'), '--pin', OTHER_PIN];
  const table = await runInProcess(args);
  assert.equal(table.code, 60);
  assert.match(table.stdout, / {2}- +wrong key\n$/);
  assert.match(
    table.stderr,
    / \(check the pin and the address; if both are right, another host answers\)\n$/,
  );
  const { stdout } = await runInProcess([...args, '--json']);
  assert.match(stdout, /"hopNumber":2,[^\n]*"state":"down","code":"WRONG_PIN","reason":"/);
});
