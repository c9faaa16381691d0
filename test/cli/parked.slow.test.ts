import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ParkedNames } from '#src/identity/parked-names.js';
import { SINCE, pinOf, stateWith } from '../support/parked.js';
import { runViaduct } from '../support/processes.js';
import { runInProcess } from '../support/program.js';
import { tempFolder } from '../support/temp.js';
import { assertOneLine } from './assertions.js';

const [A, B] = [pinOf(1), pinOf(2)];
const QUIET = { code: 0, stdout: '', stderr: '' };

function prepare(t: TestContext, content: string) {
  const state = stateWith(t, content);
  const parked = (...args: readonly string[]) => runInProcess(['parked', ...args, '--state', state.folder]);
  return { ...state, parked };
}

test('viaduct parked lists names', async (t) => {
  const { parked } = prepare(t, `# lab\nattic ${A} ${SINCE}\n\nShed\t${B} ${SINCE}\n`);
  const both = `attic ${A} ${SINCE}\nshed ${B} ${SINCE}\n`;
  assert.deepEqual(await parked(), { ...QUIET, stdout: both });
  assert.deepEqual(await parked('list'), { ...QUIET, stdout: both });
  const objects = `{"name":"attic","pin":"${A}","since":"${SINCE}","line":2}
{"name":"shed","pin":"${B}","since":"${SINCE}","line":4}
`;
  assert.deepEqual(await parked('list', '--json'), { ...QUIET, stdout: objects });
});

test('where no name was taken, the list is empty, and nothing is created', async (t) => {
  const folder = tempFolder(t);
  assert.deepEqual(await runInProcess(['parked', '--state', join(folder, 'state')]), QUIET);
  assert.deepEqual(readdirSync(folder), []);
});

test('viaduct parked forget makes names free, also for a relay that is running', async (t) => {
  const { folder, text, parked } = prepare(
    t,
    `# lab\nattic ${A} ${SINCE}\nshed ${A} ${SINCE}\nnas ${A} ${SINCE}\n`,
  );
  const names = await ParkedNames.open(folder);
  assert.equal(await names.claim('attic', B), 'taken');
  assert.deepEqual(await parked('forget', 'ATTIC', 'nas'), QUIET);
  assert.equal(text(), `# lab\nshed ${A} ${SINCE}\n`);
  assert.equal(await names.claim('attic', B), 'owned');
  assert.equal(await names.claim('shed', B), 'taken');
  assert.match((await parked()).stdout, /^shed .*\nattic sha256\/\/AgIC/);
});

test('failures: one line each, and nothing changes', async (t) => {
  const before = `attic ${A} ${SINCE}\nshed ${A} ${SINCE}\n`;
  const { parked, path, text } = prepare(t, before);
  for (const [args, code, line] of [
    [['forget', 'nas'], 60, /: nas is not in \/\S+\/parked_nodes\n/],
    [
      ['forget', 'attic', 'nas', 'x', 'shed'],
      60,
      /: nas, x are not in \/\S+\/parked_nodes; no name was forgotten\n/,
    ],
    [
      ['forget', 'attic', 'a\u001b'],
      2,
      /: "a\\x1b" is not a name; expected 1 to 15 letters \(a-z\), digits and "-", .* \(see viaduct parked --help\)\n/,
    ],
    [['forget'], 2, /: expected: parked forget NAME… \(see viaduct parked --help\)\n/],
    [['list', 'attic'], 2, /: list has no further arguments \(/],
    [['forget', 'attic', '--json'], 2, /: --json is only for list \(/],
    [
      ['remove', 'attic'],
      2,
      /'remove' is invalid for argument 'action'\. Allowed choices are list, forget\./,
    ],
  ] as const) {
    assertOneLine(await parked(...args), code, line);
    assert.equal(text(), before);
  }
  writeFileSync(path, `${before}nas ${A}\n`);
  for (const args of [['list'], ['forget', 'attic']]) {
    assertOneLine(
      await parked(...args),
      26,
      /: cannot read \/\S+\/parked_nodes: line 3 is not "NAME sha256\/\/PIN TIME": "nas sha256\/\/\S+"; correct or remove the line\n$/,
    );
  }
});

test('several processes that each forget a name while others are taken lose nothing', async (t) => {
  const old = Array.from({ length: 6 }, (_, index) => `old${index}`);
  const lines = old.map((name) => `${name} ${A} ${SINCE}\n`).join('');
  const { folder, text } = prepare(t, `# lab\n${lines}`);
  const names = await ParkedNames.open(folder);
  const [runs, claims] = await Promise.all([
    Promise.all(old.map((name) => runViaduct(t, ['parked', 'forget', name, '--state', folder]))),
    Promise.all(old.map((_, index) => names.claim(`new${index}`, B))),
  ]);
  for (const run of runs) assert.deepEqual(run, QUIET);
  for (const claim of claims) assert.equal(claim, 'owned');
  const [first, ...kept] = text().trimEnd().split('\n');
  assert.equal(first, '# lab');
  assert.deepEqual(
    kept.map((line) => line.split(' ')[0]).toSorted((a = '', b = '') => a.localeCompare(b)),
    old.map((_, index) => `new${index}`),
  );
  assert.deepEqual(readdirSync(folder), ['parked_nodes']);
});
