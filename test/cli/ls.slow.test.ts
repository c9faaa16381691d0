import assert from 'node:assert/strict';
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { formatHop } from 'viaduct';
import { httpHop } from '../support/http-hop.js';
import { urlOf } from '../support/http.js';
import { testChain } from '../support/nodes.js';
import { Child, PROGRAM, runViaduct } from '../support/processes.js';
import { runInProcess } from '../support/program.js';
import { tempFolder } from '../support/temp.js';
import { assertOneLine } from './assertions.js';
import { PINNED } from '../support/identity.js';

const TIME = new Date('2001-02-03T04:05:06.789Z');
const ESCAPE = '\u001b';

process.env['TZ'] = 'America/New_York';

const ls = (...args: readonly string[]) => runInProcess(['ls', ...PINNED, ...args]);

/** Two nodes; the origin has a folder with a few entries. */
async function prepare(t: TestContext) {
  const root = tempFolder(t);
  const folder = join(root, 'some folder');
  mkdirSync(join(folder, 'sub'), { recursive: true });
  const files = { empty: 0, 'a b.txt': 1500, [`${ESCAPE}[2J\n\u202egnp.exe`]: 5, größe: 3 * 2 ** 20 };
  for (const [name, size] of Object.entries(files)) writeFileSync(join(folder, name), Buffer.alloc(size));
  for (const name of ['sub', ...Object.keys(files)]) utimesSync(join(folder, name), TIME, TIME);
  const { route } = await testChain(t, 2, { root });
  const [first, second] = route;
  assert.ok(first && second);
  return { root, route, first: formatHop(first), second: formatHop(second) };
}

const NAMES = `sub/
\\x1b[2J\\x0a\\u{202e}gnp.exe
a b.txt
empty
größe
`;

const TABLE = `       -  2001-02-02 23:05  sub/
     5 B  2001-02-02 23:05  \\x1b[2J\\x0a\\u{202e}gnp.exe
1.46 KiB  2001-02-02 23:05  a b.txt
     0 B  2001-02-02 23:05  empty
3.00 MiB  2001-02-02 23:05  größe
`;

const OBJECTS = `{"name":"sub","type":"folder","modified":"2001-02-03T04:05:06.789Z"}
{"name":"\\u001b[2J\\n\\u202egnp.exe","type":"file","size":5,"modified":"2001-02-03T04:05:06.789Z"}
{"name":"a b.txt","type":"file","size":1500,"modified":"2001-02-03T04:05:06.789Z"}
{"name":"empty","type":"file","size":0,"modified":"2001-02-03T04:05:06.789Z"}
{"name":"größe","type":"file","size":3145728,"modified":"2001-02-03T04:05:06.789Z"}
`;

test('-h beside a location is harmless, as in ls -lh; alone it prints help', async (t) => {
  const { route } = await prepare(t);
  const where = urlOf(route, '/some folder');
  const expected = { code: 0, stdout: TABLE, stderr: '' };
  assert.deepEqual(await ls('-lh', where), expected);
  assert.deepEqual(await ls('-hl', where), expected);
  assert.deepEqual(await ls(where, '-l', '-h'), expected);
  const help = await ls('-h');
  assert.match(help.stdout, /^Usage: viaduct ls /);
  assert.deepEqual(help, await ls('--help'));
});

test('the transcripts of names, table and JSON', async (t) => {
  const { route } = await prepare(t);
  const runProcess = (...args: readonly string[]) => runViaduct(t, ['ls', ...PINNED, ...args]);
  const where = urlOf(route, '/some folder');
  assert.deepEqual(await runProcess(where), { code: 0, stdout: NAMES, stderr: '' });
  assert.deepEqual(await ls('-l', where), { code: 0, stdout: TABLE, stderr: '' });
  assert.deepEqual(await ls('--json', where), { code: 0, stdout: OBJECTS, stderr: '' });
});

test('the forms of a location: separate relays, an input file, a file, an empty folder', async (t) => {
  const { root, route, first, second } = await prepare(t);
  const all = { code: 0, stdout: NAMES, stderr: '' };
  assert.deepEqual(await ls(`${first}/@${second}/some folder/`), all);
  assert.deepEqual(await ls('-J', first, `${second}/some%20folder`), all);
  const input = join(root, 'input.txt');
  writeFileSync(input, ['some folder/', ...route.map(({ host, port }) => `${host} ${port}`)].join('\n'));
  assert.deepEqual(await ls('--route', input), all);
  const file = { code: 0, stdout: '1.46 KiB  2001-02-02 23:05  a b.txt\n', stderr: '' };
  assert.deepEqual(await ls('-l', `${first}/@${second}/some folder/a b.txt`), file);
  const nothing = { code: 0, stdout: '', stderr: '' };
  assert.deepEqual(await ls(`${first}/@${second}/some folder/sub`), nothing);
});

test('a failure: one line, and its exit code', async (t) => {
  const { route, first } = await prepare(t);
  assertOneLine(
    await ls(urlOf(route, '/absent')),
    22,
    /^viaduct: hop 2 \([^)]+\): there is no file "absent"\n$/,
  );
  assertOneLine(await ls(`${first}/@nowhere.invalid:12000/`), 6, /hop 2 \(nowhere\.invalid:12000\) /);
  assertOneLine(await ls(), 2, /no location given: expected host:port\/path, or --route FILE/);
  assertOneLine(await ls('--route', 'x', first), 2, /--route already names the location/);
  assertOneLine(await ls('h1/x'), 2, /"h1" has no port; write host:port/);
  assertOneLine(await ls('--route', 'no/such'), 26, /cannot read no\/such/);
  assertOneLine(await ls(first, '--max-hops', '1', '-J', first), 2, /the route has 2 hops/);
});

test('a hostile listing: one line, nothing on standard output, control characters escaped', async (t) => {
  const entries = ['fine', `../${ESCAPE}]0;title\u0007`].map((name) =>
    JSON.stringify({ name, type: 'file', size: 1, modified: TIME }),
  );
  const body = `{"path":"/","entries":[\n${entries.join(',\n')}\n]}\n`;
  const { hop } = await httpHop(t, (socket) =>
    socket.end(
      `HTTP/1.1 200 OK\r\nViaduct: 1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    ),
  );
  const run = await runViaduct(t, ['ls', '--plain', `${formatHop(hop)}/`]);
  assertOneLine(run, 56, /^viaduct: hop 1 \(\S+\) sent a malformed listing: "\.\.\/\\\S+" is not a name\n$/);
  assert.ok(!run.stderr.includes(ESCAPE));
});

test('a reader that closes the pipe early is no failure', async (t) => {
  const root = tempFolder(t);
  const name = 'x'.repeat(200);
  for (let index = 0; index < 3000; index += 1) writeFileSync(join(root, `${name}${index}`), '');
  const { route } = await testChain(t, 1, { root });
  const child = new Child(t, process.execPath, [PROGRAM, 'ls', ...PINNED, urlOf(route, '/')]);
  child.process.stdout?.once('data', () => child.process.stdout?.destroy());
  assert.equal(await child.ended, 0);
  assert.equal(child.stderr, '');
});
