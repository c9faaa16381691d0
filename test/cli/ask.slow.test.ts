import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { havePeer } from '../support/peers.js';
import { Child } from '../support/processes.js';
import { tempFolder } from '../support/temp.js';
import { onTerminal } from './terminal.js';

const PROGRAM = fileURLToPath(new URL('ask-program.js', import.meta.url));
const PIN = `sha256//${Buffer.alloc(32, 1).toString('base64')}`;
const WHERE = 'h1:12000/@10.0.0.5:11000';

/** The output of a terminal, with LF, and with STATE for the state folder. */
function shown({ stdout }: Child, folder: string): string {
  return stdout.replaceAll('\r\n', '\n').replaceAll(folder, 'STATE');
}

function start(t: TestContext, folder: string, seconds: number): Child {
  // The terminal breaks no lines itself. Standard input of the program is the terminal, but it does not read it.
  const command = [process.execPath, PROGRAM, folder, WHERE, PIN, String(seconds)];
  return onTerminal(t, [], { command });
}

const QUESTION = `(paused)
The key of the host is not known.
  host    ${WHERE}
  route   ${WHERE}
  pin     ${PIN}
Compare the pin with the output of viaduct identity on the host.
Trust this key and save it to STATE/known_hosts (yes/no/pin)? `;
const unknown = (why: string): string =>
  `viaduct: hop 2 (10.0.0.5:11000) presented an unknown key${why}; if its pin is right, run: viaduct known add ${WHERE} ${PIN} (or use --pin or --accept-new)\n`;
const UNKNOWN = unknown('');

for (const [what, typed, code, rest] of [
  ['yes', 'yes\n', 0, `yes\n(resumed)\nviaduct: saved the pin of ${WHERE} to STATE/known_hosts\n`],
  ['the pin', `${PIN}\n`, 0, `${PIN}\n(resumed)\nviaduct: saved the pin of ${WHERE} to STATE/known_hosts\n`],
  [
    'no',
    'no\n',
    60,
    'no\n(resumed)\nviaduct: hop 2 (10.0.0.5:11000) presented a key that you did not accept\n',
  ],
  [
    'something else, then no',
    'y\nno\n',
    60,
    /^y\n(?:no\n)?\(resumed\)\n\(paused\)\nPlease type yes, no or the pin: (?:no\n)?\(resumed\)\nviaduct: hop 2 .*did not accept\n$/,
  ],
  ['Ctrl-D', '\u0004', 60, `\n(resumed)\n${unknown(' (no answer)')}`],
  ['Ctrl-C', '\u0003', 130, /^(?:\^C)?\n\(resumed\)\nviaduct: interrupted by SIGINT\n$/],
] as const) {
  test(`the question about an unknown key on a terminal, answered with ${what}`, async (t) => {
    if (!havePeer(t, 'python3')) return;
    const folder = tempFolder(t);
    const child = start(t, folder, 60);
    await child.until(() => shown(child, folder) === QUESTION);
    child.process.stdin?.write(typed);
    assert.equal(await child.ended, code, child.stdout);
    const answered = shown(child, folder).slice(QUESTION.length);
    if (typeof rest === 'string') assert.equal(answered, rest);
    else assert.match(answered, rest);
    if (code === 0) assert.equal(readFileSync(join(folder, 'known_hosts'), 'utf8'), `${WHERE} ${PIN}\n`);
  });
}

test('without an answer in time it fails with the command that accepts the key', async (t) => {
  if (!havePeer(t, 'python3')) return;
  const folder = tempFolder(t);
  const child = start(t, folder, 0.5);
  assert.equal(await child.ended, 60);
  assert.equal(shown(child, folder), `${QUESTION}\n(resumed)\n${unknown(' (no answer within 0.5 s)')}`);
});

test('the answer is read from the terminal, not from standard input', async (t) => {
  if (!havePeer(t, 'python3')) return;
  const folder = tempFolder(t);
  const input = join(folder, 'input');
  writeFileSync(input, 'no\nno\n');
  const words = [process.execPath, PROGRAM, folder, WHERE, PIN, '60'].map((word) => `'${word}'`).join(' ');
  const child = onTerminal(t, [], { command: ['sh', '-c', `exec ${words} < '${input}'`] });
  await child.until(() => shown(child, folder) === QUESTION);
  child.process.stdin?.write('yes\n');
  assert.equal(await child.ended, 0, child.stdout);
});

test('nothing is asked if standard error is no terminal', async (t) => {
  if (!havePeer(t, 'python3')) return;
  const folder = tempFolder(t);
  const stderrTo = join(folder, 'log');
  const command = [process.execPath, PROGRAM, folder, WHERE, PIN, '60'];
  const child = onTerminal(t, [], { command, stderrTo });
  assert.equal(await child.ended, 60);
  assert.equal(readFileSync(stderrTo, 'utf8'), UNKNOWN);
  assert.equal(child.stdout, '');
});

test('nothing is asked without a terminal', async (t) => {
  const folder = tempFolder(t);
  // A session of its own has none.
  const child = new Child(t, process.execPath, [PROGRAM, folder, WHERE, PIN, '60'], { detached: true });
  assert.equal(await child.ended, 60);
  assert.equal(child.stderr, UNKNOWN);
});
