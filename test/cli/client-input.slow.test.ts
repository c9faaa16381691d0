import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { HostHop } from 'viaduct';
import { testChain, testNode } from '../support/nodes.js';
import { Child, PROGRAM, runViaduct } from '../support/processes.js';
import { runInProcess } from '../support/program.js';
import { rawConnect, rawServer } from '../support/raw.js';
import { randomFile, tempFolder } from '../support/temp.js';
import { assertOneLine } from './assertions.js';

/** A first hop that can verify that no client has connected to it. */
async function undialledHop(
  t: TestContext,
): Promise<{ readonly hop: HostHop; readonly untouched: () => Promise<void> }> {
  const callers: (number | undefined)[] = [];
  const { hop, server } = await rawServer(t, (socket) => callers.push(socket.remotePort));
  return {
    hop,
    untouched: async () => {
      // Connections are accepted in order: an earlier one would have been accepted by now.
      const accepted = once(server, 'connection');
      const own = await rawConnect(t, hop);
      await accepted;
      assert.deepEqual(callers, [own.localPort], 'the client connected');
    },
  };
}

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

/** `HOP` stands for a line with the first hop. */
const wrong: readonly (readonly [string, string | Buffer, RegExp])[] = [
  ['nothing', '', /line 1: the file name is missing/],
  ['blank lines only', '\n \r\n\n', /line 1: the file name is missing/],
  ['a file name only', 'file\n', /line 2: a line "host port" is missing/],
  ['an invalid host', 'file\nHOP\nho$t 12000\n', /line 3: "ho\$t" is not a host name or address/],
  ['an abbreviated IPv4 address', 'file\nHOP\n127.1 12000\n', /line 3: "127\.1" is not a host/],
  ['a port that is not a number', 'file\nHOP\nhost http\n', /line 3: "http" is not a port \(1 to 65535\)/],
  ['port 0', 'file\nHOP\nhost 0\n', /line 3: "0" is not a port/],
  ['a port beyond 65535', 'file\nHOP\nhost 65536\n', /line 3: "65536" is not a port/],
  [
    'a hop of one word',
    'file\nHOP\nhost\n',
    /line 3: expected "host port", with a space between, found "host"/,
  ],
  [
    'half of a pin',
    'file\nHOP\nhost 12000 sha256//AAAA\n',
    /line 3: "sha256\/\/AAAA" is not a pin; expected sha256\/\/ and 44 characters of base64\n/,
  ],
  [
    'a pin that is not on the last line',
    `file\nhost 12000 sha256//${'A'.repeat(43)}=\nHOP\n`,
    /line 3: only the last hop can have a pin, but an earlier line has one/,
  ],
  [
    'a hop of three words',
    'file\nHOP\nhost 12000 x\n',
    /line 3: expected "host port", with a space between, found "host 12000 x"/,
  ],
  ['a line number after blank lines', '\n\nfile\n\nHOP\n\nhost\n', /line 7: expected "host port"/],
  ['17 hops', `file\n${'HOP\n'.repeat(17)}`, /the route has 17 hops; at most 16 are allowed/],
  ['a name with NUL', 'fi\0le\nHOP\n', /line 1: a file name has no NUL/],
  ['a name that is not UTF-8', latin1('fil\xe9\nHOP\n'), /input\.txt: line 1: it is not UTF-8 text/],
  ['a hop that is not UTF-8', latin1('file\nHOP\nh\xfc 1\n'), /input\.txt: line 3: it is not UTF-8 text/],
  ['an incomplete character at the end', latin1('file\nHOP\n\n\xc3'), /line 4: it is not UTF-8 text/],
  ['more than 64 KiB', `file\nHOP\n${'\n'.repeat(65_536)}`, /input\.txt: it is too large for an input file/],
  ['a host with control characters', 'file\nHOP\nh\u001b[2J 1\n', /line 3: "h\\x1b\[2J" is not a host/],
  ['a message over 4,096 bytes', `${'d/'.repeat(2046)}file\nHOP\n`, /carries at most 4096/],
  ['a name that cannot be a local file', 'folder/..\nHOP\n', /"folder\/\.\." does not end in a file name/],
];
for (const [what, content, line] of wrong) {
  test(`an input file with ${what}: one line, exit code 2, no connection`, async (t) => {
    const { hop, untouched } = await undialledHop(t);
    const folder = tempFolder(t);
    const bytes = Buffer.from(content).toString('latin1').replaceAll('HOP', `127.0.0.1 ${hop.port}`);
    writeFileSync(join(folder, 'input.txt'), bytes, 'latin1');
    const run = await runInProcess(['client', 'input.txt'], { cwd: folder });
    assertOneLine(run, 2, line);
    await untouched();
  });
}

test('the error names the input file, or standard input', async (t) => {
  const folder = tempFolder(t);
  writeFileSync(join(folder, 'input.txt'), 'file\nhost\n');
  const wrongLine = 'line 2: expected "host port", with a space between, found "host"\n';
  const file = await runViaduct(t, ['client', 'input.txt'], { cwd: folder });
  assert.equal(file.stderr, `viaduct: input.txt: ${wrongLine}`);
  const stdin = await runViaduct(t, ['client', '-'], { cwd: folder, input: 'file\nhost\n' });
  assert.equal(stdin.stderr, `viaduct: standard input: ${wrongLine}`);
});

test('an endless input is too large', async (t) => {
  const file = await runViaduct(t, ['client', '/dev/zero']);
  assertOneLine(file, 2, /^viaduct: \/dev\/zero: it is too large for an input file\n$/);
  const shell = new Child(t, 'sh', [
    '-c',
    'exec "$0" "$@" </dev/zero',
    process.execPath,
    PROGRAM,
    'client',
    '-',
  ]);
  const code = await shell.ended;
  assertOneLine({ code, stdout: shell.stdout, stderr: shell.stderr }, 2, /standard input: it is too large/);
});

const right: readonly (readonly [string, string])[] = [
  ['LF', 'a file\nHOP1\nHOP2\n'],
  ['no final newline', 'a file\nHOP1\nHOP2'],
  ['CRLF', 'a file\r\nHOP1\r\nHOP2\r\n'],
  ['a byte-order mark', '\uFEFFa file\nHOP1\nHOP2\n'],
  ['blank lines', '\n\na file\n\n \nHOP1\n\r\nHOP2\n\n\n'],
  ['tabs and spaces around hops', 'a file\n\tHOP1  \n  HOP2\t\n'],
];
for (const [what, content] of right) {
  for (const from of ['input.txt', '-']) {
    test(`an input with ${what} from ${from === '-' ? 'standard input' : 'a file'}`, async (t) => {
      const root = tempFolder(t);
      const bytes = randomFile(root, 'a file', 1000);
      const { route } = await testChain(t, 2, { root });
      const input = content.replaceAll(
        /HOP(\d)/g,
        (_, n: string) => `localhost ${route[Number(n) - 1]?.port}`,
      );
      const folder = tempFolder(t);
      writeFileSync(join(folder, 'input.txt'), input);
      const run = await runInProcess(['client', from], { cwd: folder, input: from === '-' ? input : '' });
      assert.equal(run.code, 0, run.stderr);
      assert.deepEqual(readFileSync(join(folder, 'a file')), bytes);
    });
  }
}

test('a pin after the last hop is not sent, and the client warns that it does not check it', async (t) => {
  const root = tempFolder(t);
  const bytes = randomFile(root, 'file', 1000);
  const { hop } = await testNode(t, { root });
  const received: Buffer[] = [];
  const relay = await rawServer(t, (socket) => {
    // The message is in one packet, and the origin does not need more of it.
    socket.once('data', (message) => {
      received.push(message);
      socket.end();
    });
  });
  const pin = `sha256//${Buffer.alloc(32).toString('base64')}`;
  const warning = 'viaduct: warning: the pin is not checked; client does not encrypt, get does\n';
  const folder = tempFolder(t);
  for (const first of [relay.hop, hop]) {
    const input = `file\n127.0.0.1 ${first.port}\n127.0.0.1 ${hop.port} ${pin}\n`;
    const run = await runInProcess(['client', '-'], { cwd: folder, input });
    assert.equal(run.code, 0, run.stderr);
    assert.ok(run.stderr.startsWith(warning), run.stderr);
  }
  assert.equal(Buffer.concat(received).toString(), `file\n127.0.0.1 ${hop.port}\n\n`);
  assert.deepEqual(readFileSync(join(folder, 'file')), bytes);
});

test('IPv6 hosts, with and without brackets', async (t) => {
  const root = tempFolder(t);
  const bytes = randomFile(root, 'file', 1000);
  const { hop } = await testNode(t, { root });
  for (const host of ['::1', '[::1]']) {
    const folder = tempFolder(t);
    const input = `file\n${host} ${hop.port}\n${host} ${hop.port}\n`;
    const run = await runInProcess(['client', '-'], { cwd: folder, input });
    assert.equal(run.code, 0, run.stderr);
    assert.deepEqual(readFileSync(join(folder, 'file')), bytes);
  }
});

test('16 hops are allowed', async (t) => {
  const root = tempFolder(t);
  const bytes = randomFile(root, 'file', 1000);
  const { hop } = await testNode(t, { root });
  const folder = tempFolder(t);
  const input = `file\n${`127.0.0.1 ${hop.port}\n`.repeat(16)}`;
  const run = await runViaduct(t, ['client', '-'], { cwd: folder, input });
  assert.equal(run.code, 0, run.stderr);
  assert.deepEqual(readFileSync(join(folder, 'file')), bytes);
});

for (const [command, args] of [
  ['client', ['client']],
  ['get --route', ['get', '--route']],
] as const) {
  test(`${command} waits at a FIFO for its input, and a signal ends it`, async (t) => {
    const fifo = join(tempFolder(t), 'fifo');
    execFileSync('mkfifo', [fifo]);
    const child = new Child(t, process.execPath, [PROGRAM, ...args, fifo]);
    // Opens the FIFO as soon as the command waits there, and writes nothing.
    const writer = await open(fifo, 'w');
    t.after(() => writer.close());
    child.process.kill('SIGTERM');
    assert.equal(await child.ended, 'SIGTERM');
  });
}
