import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { urlOf } from '../support/http.js';
import { PINNED } from '../support/identity.js';
import { testChain, testNode } from '../support/nodes.js';
import { runInProcess } from '../support/program.js';
import { sha256, tempFolder } from '../support/temp.js';
import { assertOneLine } from './assertions.js';

const CONTENT = { a: 'first\n', b: 'second\n', 'sub/c': 'third\n', large: 'x'.repeat(300 * 1024) };
const WRONG = '0'.repeat(64);

/** A line of each file, as sha256sum prints it, with another sum for some. */
function sums(wrong: readonly string[] = [], names: readonly string[] = Object.keys(CONTENT)): string {
  return Object.entries(CONTENT)
    .filter(([name]) => names.includes(name))
    .map(([name, text]) => `${wrong.includes(name) ? WRONG : sha256(Buffer.from(text))}  ${name}\n`)
    .join('');
}

async function served(t: TestContext) {
  const root = tempFolder(t);
  mkdirSync(join(root, 'dir', 'sub'), { recursive: true });
  for (const [name, text] of Object.entries(CONTENT)) writeFileSync(join(root, 'dir', name), text);
  const { route } = await testChain(t, 2, { root });
  const cwd = tempFolder(t);
  const run = (args: readonly string[], list: string) =>
    runInProcess([...args, ...PINNED, '--checksum-file', '-'], { cwd, input: list });
  const at = (path: string): string => urlOf(route, `/dir/${path}`);
  return { cwd, run, at };
}

test('files that have their SHA-256 are fetched: one, several, a pattern, a folder', async (t) => {
  const { cwd, run, at } = await served(t);
  for (const args of [
    ['get', at('a')],
    ['get', at('a'), at('b'), '-o', 'two'],
    ['get', at('[ab]'), '-o', 'some'],
    ['get', '-r', at(''), '-o', 'all'],
    ['get', '-r', at('*'), '-o', 'each'],
    ['cat', at('a'), at('b')],
  ]) {
    const { code, stderr } = await run(args, sums());
    assert.equal(code, 0, stderr);
  }
  assert.deepEqual(readdirSync(join(cwd, 'all'), { recursive: true, encoding: 'utf8' }).toSorted(), [
    'a',
    'b',
    'large',
    'sub',
    'sub/c',
  ]);
  assert.equal(readFileSync(join(cwd, 'each', 'sub', 'c'), 'utf8'), CONTENT['sub/c']);
});

test('the list may be at a location itself, and is fetched first', async (t) => {
  const root = tempFolder(t);
  writeFileSync(join(root, 'a'), CONTENT.a);
  writeFileSync(join(root, 'b'), CONTENT.b);
  writeFileSync(join(root, 'SUMS'), sums(['b']));
  writeFileSync(join(root, 'empty'), '');
  const { route } = await testChain(t, 2, { root });
  const cwd = tempFolder(t);
  const run = (name: string, list: string) =>
    runInProcess(['get', ...PINNED, urlOf(route, `/${name}`), '--checksum-file', urlOf(route, list)], {
      cwd,
    });
  const right = await run('a', '/SUMS');
  assert.equal(right.code, 0, right.stderr);
  assert.equal((await run('b', '/SUMS')).code, 110);
  assertOneLine(await run('a', '/absent'), 22, /--checksum-file: hop 2 \([^)]+\): there is no file "absent"/);
  assertOneLine(await run('a', '/empty'), 26, /cannot read http:[^ ]+\/empty: no line of it has a SHA-256/);
  assertOneLine(await run('a', '/'), 2, /--checksum-file http:\S+\/ is a folder, not a file/);
  assert.deepEqual(readdirSync(cwd), ['a']);
});

test('a file with another SHA-256 is not saved, and leaves nothing: exit code 110', async (t) => {
  const { cwd, run, at } = await served(t);
  const { code, stderr } = await run(['get', at('a'), at('b')], sums(['b']));
  assert.equal(code, 110);
  assert.match(
    stderr,
    new RegExp(
      `^viaduct: b: hop 2 [^\n]+ sent a file with SHA-256 ${sha256(Buffer.from(CONTENT.b))}, not ${WRONG} \\([^\n]+; nothing was kept\\)\n$`,
    ),
  );
  assert.deepEqual(readdirSync(cwd), ['a']);
});

test('in a folder too, small or large; the others are saved', async (t) => {
  for (const wrong of ['sub/c', 'large']) {
    const { cwd, run, at } = await served(t);
    const { code, stderr } = await run(['get', '-r', at(''), '-o', 'all'], sums([wrong]));
    assert.equal(code, 110);
    assert.match(
      stderr,
      new RegExp(`^viaduct: all/${wrong}: hop 2 [^\n]+ sent a file with SHA-256 [^\n]+\n$`),
    );
    const saved = readdirSync(join(cwd, 'all'), { recursive: true, encoding: 'utf8' }).toSorted();
    assert.deepEqual(
      saved,
      ['a', 'b', 'large', 'sub', 'sub/c'].filter((name) => name !== wrong),
    );
  }
});

test('a file without a line, or with two, is not fetched: exit code 2', async (t) => {
  const { cwd, run, at } = await served(t);
  const twice = `${sums()}${sums(['a'], ['a'])}`;
  for (const [args, list, message] of [
    [['get', at('a')], sums([], ['b']), /^viaduct: standard input does not name "a"\n$/],
    [['get', at('a')], twice, /^viaduct: standard input has different SHA-256 for "a"\n$/],
    [['get', '-r', at('sub')], sums(), /^viaduct: sub\/c: standard input does not name "c"\n$/],
    [['cat', at('a'), at('b')], sums([], ['a']), /^viaduct: standard input does not name "b"\n$/],
  ] as const) {
    const run1 = await run(args, list);
    assert.equal(run1.code, 2);
    assert.match(run1.stderr, message);
  }
  assert.deepEqual(readdirSync(cwd, { recursive: true, encoding: 'utf8' }), ['sub']);
});

test('with -r, a file that exists is skipped only if it has its SHA-256', async (t) => {
  const { cwd, run, at } = await served(t);
  const get = ['get', '-r', at(''), '-o', 'all'];
  assert.equal((await run(get, sums())).code, 0);
  const b = join(cwd, 'all', 'b');
  const { mtime } = statSync(b);
  writeFileSync(b, CONTENT.b.toUpperCase());
  utimesSync(b, mtime, mtime);
  assert.match((await runInProcess([...get, ...PINNED], { cwd })).stdout, /^0 files .* 4 skipped\n$/);
  assert.match((await run(get, sums())).stdout, /^1 file .* 3 skipped\n$/);
  assert.equal(readFileSync(b, 'utf8'), CONTENT.b);
});

test('with --no-verify the list alone decides, for an origin that sends no SHA-256', async (t) => {
  const root = tempFolder(t);
  writeFileSync(join(root, 'large'), CONTENT.large);
  const { hop } = await testNode(t, { root, digestLimitBytes: 1 });
  const cwd = tempFolder(t);
  const run = (list: string, ...args: readonly string[]) =>
    runInProcess(['get', '--plain', urlOf([hop], '/large'), '--checksum-file', '-', ...args], {
      cwd,
      input: list,
    });
  assert.equal((await run(sums())).code, 22);
  const wrong = await run(sums(['large']), '--no-verify');
  assert.equal(wrong.code, 110);
  assert.deepEqual(readdirSync(cwd), []);
  const right = await run(sums(), '--no-verify');
  assert.equal(right.code, 0, right.stderr);
  assert.match(right.stdout, / verified\n$/);
});

test('the bytes of a wrong file that cat has printed stay, and nothing follows them', async (t) => {
  const { run, at } = await served(t);
  const { code, stdout, stderr } = await run(['cat', at('a'), at('b'), at('a')], sums(['b']));
  assert.equal(code, 110);
  assert.equal(stdout, CONTENT.a + CONTENT.b);
  assert.match(stderr, /^viaduct: b: hop 2 [^\n]+ is not the one that you expect\)\n$/);
});

test('a list that cannot be used: one line, before anything is fetched', async (t) => {
  const { cwd, at } = await served(t);
  const run = (...args: readonly string[]) =>
    runInProcess(['get', at('a'), ...args], { cwd, input: 'hello' });
  assertOneLine(await run('--checksum-file', 'absent'), 26, /cannot read absent: no such file/);
  assertOneLine(
    await run('--checksum-file', '-'),
    26,
    /cannot read standard input: no line of it has a SHA-256/,
  );
  assertOneLine(await run('--checksum-file', ''), 2, /Expected the path of a file/);
  assertOneLine(
    await runInProcess(['get', '--route', '-', '--checksum-file', '-'], { cwd, input: 'f\nh 1\n' }),
    2,
    /only one of --checksum-file and --route can be/,
  );
});
