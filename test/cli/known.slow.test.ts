import assert from 'node:assert/strict';
import { chmodSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runViaduct } from '../support/processes.js';
import { runInProcess } from '../support/program.js';
import { tempFolder } from '../support/temp.js';
import { assertOneLine } from './assertions.js';

const pinOf = (byte: number): string => `sha256//${Buffer.alloc(32, byte).toString('base64')}`;
const [A, B] = [pinOf(1), pinOf(2)];

function prepare(t: TestContext, text?: string) {
  const state = tempFolder(t);
  const path = join(state, 'known_hosts');
  if (text !== undefined) writeFileSync(path, text, { mode: 0o600 });
  const known = (...args: readonly string[]) => runInProcess(['known', ...args, '--state', state]);
  return { state, path, known, text: () => readFileSync(path, 'utf8') };
}

const QUIET = { code: 0, stdout: '', stderr: '' };

test('viaduct known adds, lists and removes', async (t) => {
  const { known, text } = prepare(t);
  assert.deepEqual(await known(), QUIET);
  assert.deepEqual(await known('add', 'H2.example:11000', A), QUIET);
  assert.deepEqual(await known('add', 'H1:12000/@10.0.0.5:11000', B), QUIET);
  assert.deepEqual(await known('add', 'h2.example:11000', ` ${A}\n`), QUIET, 'again');
  const both = `h2.example:11000 ${A}\nh1:12000/@10.0.0.5:11000 ${B}\n`;
  assert.equal(text(), both);
  assert.deepEqual(await known(), { ...QUIET, stdout: both });
  assert.deepEqual(await known('list'), { ...QUIET, stdout: both });
  assert.deepEqual(await known('remove', 'h1:12000/@10.0.0.5:11000'), QUIET);
  assert.deepEqual(await known(), { ...QUIET, stdout: `h2.example:11000 ${A}\n` });
});

test('viaduct known --json, and comments', async (t) => {
  const { known } = prepare(t, `# lab\nh:1 ${A} the \u202eold one\n\n[::1]:2 ${B}\n`);
  assert.equal((await known()).stdout, `h:1 ${A} the \\u{202e}old one\n[::1]:2 ${B}\n`);
  const objects = `{"name":"h:1","pin":"${A}","comment":"the \\u202eold one","line":2}
{"name":"[::1]:2","pin":"${B}","line":4}
`;
  assert.deepEqual(await known('list', '--json'), { ...QUIET, stdout: objects });
});

test('failures: one line each, and nothing changes', async (t) => {
  const before = `h:1 ${A}\n`;
  const { known, path, text } = prepare(t, before);
  for (const [args, code, line] of [
    [
      ['add', 'h:1', B],
      60,
      /: h:1 is known with another pin; to replace it, first run: viaduct known remove --state \/\S+ h:1\n/,
    ],
    [['remove', 'h:2'], 60, /: h:2 is not in \/\S+\/known_hosts\n/],
    [
      ['add', 'http://foo.example.com/', B],
      2,
      /: "http:\/\/foo\.example\.com\/" is not the name of a host; write host:port, or h1:12000\/@h2:11000\n/,
    ],
    [['add', 'h:2/dir/file', B], 2, /: "h:2\/dir\/file" is not the name of a host; write host:port, or /],
    [['add', 'h:2'], 2, /: expected: known add NAME PIN \(see viaduct known --help\)\n/],
    [['remove'], 2, /: expected: known remove NAME \(/],
    [['remove', 'h:1', A], 2, /: expected: known remove NAME \(/],
    [['list', 'h:1'], 2, /: list has no further arguments \(/],
    [['remove', 'h:1', '--json'], 2, /: --json is only for list \(/],
    [
      ['add', 'h:2', 'x\u001b'],
      2,
      /: "x\\x1b" is not a pin; expected sha256\/\/ and 44 characters of base64 \(/,
    ],
    [['add', 'h', A], 2, /: "h" is not the name of a host; write host:port, or h1:12000\/@h2:11000\n/],
    [['add', 'h:0', A], 2, /: "0" is not a port \(1 to 65535\)\n/],
    [
      ['forget', 'h:1'],
      2,
      /'forget' is invalid for argument 'action'\. Allowed choices are list, add, remove\./,
    ],
  ] as const) {
    assertOneLine(await known(...args), code, line);
    assert.equal(text(), before);
  }
  writeFileSync(path, `${before}h:2 sha256//half\n`);
  assertOneLine(
    await known(),
    26,
    /: cannot read \/\S+\/known_hosts: line 2 is not "NAME sha256\/\/PIN": "h:2 sha256\/\/half"; correct or remove the line\n$/,
  );
  chmodSync(path, 0o666);
  assertOneLine(
    await known(),
    26,
    /known_hosts: it is writable by others; run: chmod go-w \/\S+\/known_hosts\n$/,
  );
});

test('ten processes that each add a host at once lose nothing', async (t) => {
  const { state, text } = prepare(t, '# lab\n');
  const names = Array.from({ length: 10 }, (_, index) => `h${index}:1`);
  const runs = await Promise.all(
    names.map((name) => runViaduct(t, ['known', 'add', name, A, '--state', state])),
  );
  for (const run of runs) assert.deepEqual(run, QUIET);
  const [first, ...lines] = text().trimEnd().split('\n');
  assert.equal(first, '# lab');
  assert.deepEqual(
    lines.toSorted(),
    names.map((name) => `${name} ${A}`),
  );
  assert.deepEqual(readdirSync(state), ['known_hosts']);
});
