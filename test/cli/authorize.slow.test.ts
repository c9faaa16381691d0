import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pinOf } from '../support/parked.js';
import { runViaduct } from '../support/processes.js';
import { runInProcess } from '../support/program.js';
import { tempFolder } from '../support/temp.js';
import { assertOneLine } from './assertions.js';

const [A, B] = [pinOf(1), pinOf(2)];
const QUIET = { code: 0, stdout: '', stderr: '' };

function prepare(t: TestContext) {
  const state = join(tempFolder(t), 'state');
  const path = join(state, 'authorized_keys');
  return {
    state,
    path,
    text: () => readFileSync(path, 'utf8'),
    authorize: (...args: readonly string[]) => runInProcess(['authorize', ...args, '--state', state]),
  };
}

test('the first client makes folder and file, for this user only', async (t) => {
  const { state, path, text, authorize } = prepare(t);
  assert.deepEqual(await authorize('--list'), QUIET);
  assert.deepEqual(readdirSync(join(state, '..')), [], 'listing creates nothing');
  assert.deepEqual(
    await authorize(A, '--name', 'alice', '--path', '/photos/my 2024/', '--expires', '2999-01-31'),
    QUIET,
  );
  assert.equal(text(), `${A} alice path=/photos/my%202024 expires=2999-01-31T00:00Z\n`);
  assert.deepEqual([statSync(state).mode & 0o777, statSync(path).mode & 0o777], [0o700, 0o600]);
  assert.deepEqual(readdirSync(state), ['authorized_keys']);
});

test('a client is replaced by its pin, listed, and removed by pin or name; other lines stay', async (t) => {
  const { path, text, authorize } = prepare(t);
  await authorize(A, '--name', 'alice', '--path', '/photos');
  writeFileSync(path, `# lab\n${text()}\n${B} bob expires=2020-01-01\n`);
  assert.deepEqual(await authorize(A, '--name', 'al'), QUIET);
  assert.equal(text(), `# lab\n${A} al\n\n${B} bob expires=2020-01-01\n`);
  assert.deepEqual(await authorize('--list'), {
    ...QUIET,
    stdout: `${A} al\n${B} bob expires=2020-01-01T00:00Z # expired\n`,
  });
  const objects = [
    { pin: A, name: 'al', path: '/', expired: false, line: 2 },
    { pin: B, name: 'bob', path: '/', expires: '2020-01-01T00:00Z', expired: true, line: 4 },
  ];
  const { stdout } = await authorize('--list', '--json');
  assert.deepEqual(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
    objects,
  );
  assert.deepEqual(await authorize('--remove', 'bob'), QUIET);
  assert.deepEqual(await authorize('--remove', A), QUIET);
  assert.equal(text(), '# lab\n\n');
});

test('the pin may come from standard input, and the file be another one', async (t) => {
  const { state } = prepare(t);
  const file = join(tempFolder(t), 'readers');
  const args = ['authorize', '-', '--authorized', file, '--state', state];
  assert.deepEqual(await runInProcess(args, { input: `${A}\n` }), QUIET);
  assert.equal(readFileSync(file, 'utf8'), `${A}\n`);
  assertOneLine(await runInProcess(args, { input: 'x'.repeat(5000) }), 2, /"x+…" is not a pin/);
  assertOneLine(await runInProcess(args, { input: '' }), 2, /"" is not a pin/);
});

test('failures: one line each, and nothing changes', async (t) => {
  const { path, text, authorize } = prepare(t);
  await authorize(A, '--name', 'alice');
  const before = text();
  for (const [args, code, line] of [
    [[], 2, /: expected: authorize PIN, --list, or --remove PIN \(see viaduct authorize --help\)\n/],
    [['alice'], 2, /: "alice" is not a pin; expected sha256\/\/ and 44 characters/],
    [[B, '--name', 'alice'], 2, /: line 1 of \S+ has the name "alice" for another pin; /],
    [[B, '--name', '-x'], 2, /: "-x" is not a name; expected 1 to 64 letters/],
    [[B, '--name', 'a=b'], 2, /: "a=b" is not a name/],
    [[B, '--path', 'photos'], 2, /: "photos" is not a path; expected one as in a URL/],
    [[B, '--path', '/a/../b'], 2, /: "\/a\/\.\.\/b" is not a path/],
    [[B, '--path', ''], 2, /: "" is not a path/],
    [[B, '--expires', 'soon'], 2, /: "soon" is not a time; expected 2026-12-31 or 2026-12-31T12:00Z/],
    [[B, '--expires', '2020-01-01'], 2, /: 2020-01-01T00:00Z is in the past \(--expires\)/],
    [[B, '--list'], 2, /: --list has no argument/],
    [[B, '--remove', A], 2, /: --remove has no further argument/],
    [[B, '--json'], 2, /: --json is only for --list/],
    [['--list', '--remove', A], 2, /cannot be used with option/],
    [['--remove', A, '--name', 'x'], 2, /cannot be used with option/],
    [['--remove', 'bob'], 60, /: bob is not in \S+authorized_keys\n/],
    [[B, '--authorized', ''], 2, /Expected the path of a file/],
  ] as const) {
    assertOneLine(await authorize(...args), code, line);
    assert.equal(text(), before);
  }
  writeFileSync(path, `${before}garbage\n`);
  for (const args of [['--list'], [B], ['--remove', 'alice']])
    assertOneLine(await authorize(...args), 26, /: cannot read \S+: line 2 is not "sha256\/\/PIN/);
});

test('several processes that authorize at once lose nothing', async (t) => {
  const { state, text, authorize } = prepare(t);
  await authorize(pinOf(99), '--name', 'first');
  const runs = Array.from({ length: 6 }, (_, index) =>
    runViaduct(t, ['authorize', pinOf(index), '--name', `n${index}`, '--state', state]),
  );
  const removed = runViaduct(t, ['authorize', '--remove', 'first', '--state', state]);
  for (const run of await Promise.all([...runs, removed])) assert.deepEqual(run, QUIET);
  assert.deepEqual(
    new Set(
      text()
        .trimEnd()
        .split('\n')
        .map((line) => line.split(' ')[1]),
    ),
    new Set(['n0', 'n1', 'n2', 'n3', 'n4', 'n5']),
  );
});
