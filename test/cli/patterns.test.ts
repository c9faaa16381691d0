import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { faultProxy } from '../support/fault-proxy.js';
import { urlOf } from '../support/http.js';
import { PINNED } from '../support/identity.js';
import { testChain, testNode } from '../support/nodes.js';
import { runInProcess } from '../support/program.js';
import { tempFolder } from '../support/temp.js';
import { assertOneLine } from './assertions.js';

const FILES = [
  '2026-01.gz',
  '2026-02.gz',
  '2025-12.gz',
  'a[1].txt',
  'a1.txt',
  'star*.txt',
  'star-b.txt',
  'x?',
];

/** Files whose content is their name, in the folder `logs` of the last of two nodes. */
async function logs(t: TestContext) {
  const root = tempFolder(t);
  mkdirSync(join(root, 'logs', 'sub'), { recursive: true });
  for (const name of [...FILES, '.2026.gz', 'sub/2026-00.gz'])
    writeFileSync(join(root, 'logs', name), `${name}\n`);
  const { route, nodes } = await testChain(t, 2, { root, dotfiles: true });
  const cwd = tempFolder(t);
  const run = (command: string, pattern: string, ...args: readonly string[]) =>
    runInProcess([command, ...PINNED, urlOf(route, `/logs/${pattern}`), ...args], { cwd });
  return { cwd, run, origin: nodes[1] };
}

for (const [pattern, names] of [
  ['2026-*.gz', ['2026-01.gz', '2026-02.gz']],
  ['202[5-6]-?[!1].gz', ['2025-12.gz', '2026-02.gz']],
  ['*.gz', ['2025-12.gz', '2026-01.gz', '2026-02.gz']],
  ['.*', ['.2026.gz']],
  ['a[1].txt', ['a[1].txt']],
  ['a%5B1].txt', ['a[1].txt']],
  ['a[1-1].txt', ['a1.txt']],
  ['star*.txt', ['star*.txt']],
  ['star%2A.txt', ['star*.txt']],
  ['sta?[*].txt', ['star*.txt']],
  ['x?', ['x?']],
  ['x%3F', ['x?']],
  ['s*', ['star*.txt', 'star-b.txt']],
] as const) {
  test(`get of ${pattern}: ${names.join(', ')}`, async (t) => {
    const { cwd, run } = await logs(t);
    const { code, stderr } = await run('get', pattern);
    assert.equal(code, 0, stderr);
    assert.deepEqual(readdirSync(cwd).toSorted(), names);
    for (const name of names) assert.equal(readFileSync(join(cwd, name), 'utf8'), `${name}\n`);
  });
}

test('cat of a pattern prints the files in the order of their names', async (t) => {
  const { run } = await logs(t);
  const { code, stdout, stderr } = await run('cat', '*.gz');
  assert.deepEqual([code, stdout, stderr], [0, '2025-12.gz\n2026-01.gz\n2026-02.gz\n', '']);
});

test('ls of a pattern prints what matches, folders too', async (t) => {
  const { run } = await logs(t);
  assert.equal((await run('ls', 's*')).stdout, 'star*.txt\nstar-b.txt\nsub/\n');
  assert.equal((await run('ls', 'a[1].txt')).stdout, 'a[1].txt\n');
});

test('with -r folders match too', async (t) => {
  const { cwd, run } = await logs(t);
  assert.equal((await run('get', 's[!t]*', '-r')).code, 0);
  assert.deepEqual(readdirSync(cwd, { recursive: true, encoding: 'utf8' }).toSorted(), [
    'sub',
    'sub/2026-00.gz',
  ]);
});

test('what one file matches is saved in the folder of -o, as of several', async (t) => {
  const { cwd, run } = await logs(t);
  assert.equal((await run('get', '2025*', '-o', 'new')).code, 0);
  assert.deepEqual(readdirSync(join(cwd, 'new')), ['2025-12.gz']);
  writeFileSync(join(cwd, 'file'), '');
  assertOneLine(await run('get', '2025*', '-o', 'file'), 2, /with several files -o must be a folder/);
});

test('nothing matches: one line that says so, exit code 22, and nothing is made', async (t) => {
  const { cwd, run } = await logs(t);
  const hop = String.raw`hop 2 \(127\.0\.0\.1:\d+\)`;
  for (const command of ['get', 'cat'])
    assertOneLine(
      await run(command, '*.zip'),
      22,
      new RegExp(`${hop} has no file in /logs/ that matches "\\*\\.zip" \\(for \\*`),
    );
  assertOneLine(await run('get', 'su*'), 22, /that matches "su\*", only 1 folder \(use -r\) \(/);
  assertOneLine(await run('ls', '*.zip'), 22, /has nothing in \/logs\/ that matches "\*\.zip"/);
  assertOneLine(await run('get', '*.zip', '-o', 'new'), 22, /has no file/);
  assert.deepEqual(readdirSync(cwd), []);
  const { stdout } = await run('get', '*.zip', '--json');
  assert.match(stdout, /^\{"event":"error","code":"NOT_FOUND","hopNumber":2,[^\n]+"exit":22\}\n$/);
});

test('the pattern is of one file only for --via and --also: one line, exit code 2', async (t) => {
  const { run } = await logs(t);
  assertOneLine(
    await run('get', '*', '--also', 'h1:1/x'),
    2,
    /--via and --also are for one file, not for a pattern/,
  );
});

test('the listing and the files share one connection to the origin', async (t) => {
  const { run, origin } = await logs(t);
  assert.equal((await run('cat', '*.gz')).code, 0);
  assert.equal(origin?.events.filter(({ type }) => type === 'secured').length, 1);
});

test('the listing has shown that the route works, so a connection that breaks before a reply is retried', async (t) => {
  const root = tempFolder(t);
  for (const name of ['a', 'b']) writeFileSync(join(root, name), name);
  const { hop } = await testNode(t, { root });
  // The first connection brings the listing and one of the files, the second is for the other one.
  const proxy = await faultProxy(t, hop, (connection) => ({
    kind: 'reset',
    at: connection === 1 ? 0 : Infinity,
  }));
  const cwd = tempFolder(t);
  const run = await runInProcess(['get', ...PINNED, urlOf([proxy.hop], '/*')], { cwd });
  assert.equal(run.code, 0, run.stderr);
  assert.match(run.stderr, /^viaduct: [ab]: hop 1 [^\n]+; retrying in \S+ s/);
  assert.deepEqual(readdirSync(cwd).toSorted(), ['a', 'b']);
});

test('a name that would be a partial file is not taken from a listing', async (t) => {
  const root = tempFolder(t);
  writeFileSync(join(root, '.viaduct-0123456789abcdef.part'), '');
  const { hop } = await testNode(t, { root, dotfiles: true });
  const cwd = tempFolder(t);
  const run = await runInProcess(['get', ...PINNED, urlOf([hop], '/.v*')], { cwd });
  assertOneLine(run, 23, /is not a safe file name on this system/);
  assert.ok(!existsSync(join(cwd, '.viaduct-0123456789abcdef.part')));
});
