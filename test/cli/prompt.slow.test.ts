import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { havePeer } from '../support/peers.js';
import { Child, PROGRAM, runViaduct } from '../support/processes.js';
import { runInProcess } from '../support/program.js';
import { rawConnect, rawServer } from '../support/raw.js';
import { tempFolder } from '../support/temp.js';
import { assertOneLine } from './assertions.js';
import { onTerminal } from './terminal.js';

const PROMPT = 'Enter the port no. : ';

/** The port to which a JSON log says the node listens. */
function portIn(log: string): number | undefined {
  const found = /"address":"[^"]*:(\d+)"/.exec(log)?.[1];
  return found === undefined ? undefined : Number(found);
}

for (const [how, typed] of [
  ['LF', '0\n'],
  ['CRLF', '0\r\n'],
  ['spaces around it', '  0 \n'],
  ['the end of input instead of a newline', '0'],
  ['further lines after it', '0\n99999\n'],
] as const) {
  test(`the prompt for the port on a pipe: answer with ${how}`, async (t) => {
    const server = new Child(t, process.execPath, [PROGRAM, 'server'], { cwd: tempFolder(t) });
    await server.until(({ stdout }) => stdout === PROMPT);
    server.process.stdin?.end(typed);
    const port = await server.until(({ stderr }) => portIn(stderr));
    await rawConnect(t, { host: '127.0.0.1', port });
    await server.until(({ stdout }) => stdout.includes('creating new thread 0\n'));
    assert.equal(server.stdout, `${PROMPT}the server is ready\ncreating new thread 0\n`);
  });
}

test('the prompt for the port on a pseudo-terminal', async (t) => {
  if (!havePeer(t, 'python3')) return;
  const server = onTerminal(t, ['server', '--log-format', 'json'], { cwd: tempFolder(t) });
  await server.until(({ stdout }) => stdout === PROMPT);
  server.process.stdin?.write('0\n');
  const port = await server.until(({ stdout }) => portIn(stdout));
  assert.ok(server.stdout.startsWith(`${PROMPT}0\r\nthe server is ready\r\n{`), server.stdout);
  await rawConnect(t, { host: '127.0.0.1', port });
  await server.until(({ stdout }) => stdout.endsWith('\ncreating new thread 0\r\n'));
  server.process.stdin?.write('\u0003');
  assert.equal(await server.ended, 0, 'Ctrl-C stops a server that is idle');
});

test('Ctrl-C and the end of input at the prompt on a pseudo-terminal', async (t) => {
  if (!havePeer(t, 'python3')) return;
  const folder = tempFolder(t);
  for (const [key, code, line] of [
    ['\u0003', 130, ''],
    ['\u0004', 2, 'viaduct: standard input ended before a port was entered (see viaduct server --help)\n'],
  ] as const) {
    const stderrTo = join(folder, 'log');
    const server = onTerminal(t, ['server'], { cwd: folder, stderrTo });
    await server.until(({ stdout }) => stdout === PROMPT);
    server.process.stdin?.write(key);
    assert.equal(await server.ended, code);
    assert.equal(readFileSync(stderrTo, 'utf8'), line);
  }
});

for (const [what, typed, line] of [
  ['the end of input', '', /: standard input ended before a port was entered/],
  ['an empty line', '\n', /: "" is not a port \(0 to 65535\)/],
  ['a word', 'twelve\n', /: "twelve" is not a port \(0 to 65535\)/],
  ['a number that is too large', '65536\n', /: "65536" is not a port/],
  ['a sign', '-1\n', /: "-1" is not a port/],
  ['a fraction', '80.5\n', /: "80\.5" is not a port/],
  ['hexadecimal', '0x50\n', /: "0x50" is not a port/],
  ['control characters', '\u001b[2J\n', /: "\\x1b\[2J" is not a port/],
] as const) {
  test(`the prompt answered with ${what}: one line, exit code 2`, async () => {
    const run = await runInProcess(['server'], { input: typed });
    assert.equal(run.stdout, PROMPT);
    assertOneLine({ ...run, stdout: '' }, 2, line);
  });
}

test('a port from the prompt that is in use: one line, exit code 3', async (t) => {
  const { hop } = await rawServer(t, (socket) => socket.destroy());
  const run = await runViaduct(t, ['server', '--host', '127.0.0.1'], { input: `${hop.port}\n` });
  assert.equal(run.stdout, PROMPT);
  assertOneLine({ ...run, stdout: '' }, 3, /: another program listens there already/);
});
