import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';
import { type HostHop, formatInput, formatLocation } from 'viaduct';
import { fileOrigin, honestReply } from '../support/file-origin.js';
import { havePeer } from '../support/peers.js';
import { startClient } from '../support/processes.js';
import { rawServer } from '../support/raw.js';
import { tempFolder } from '../support/temp.js';
import { onTerminal } from './terminal.js';

const ESCAPE = '\u001b';

/** A server that sends some bytes at once and the rest on request. */
async function stagedServer(t: TestContext): Promise<{ readonly hop: HostHop; readonly finish: () => void }> {
  let client: Socket | undefined;
  const { hop } = await rawServer(t, (socket) => {
    client = socket;
    socket.once('data', () => socket.write('x'.repeat(1500)));
  });
  return { hop, finish: () => client?.end('y'.repeat(500)) };
}

/** All lines that were drawn on the terminal, repeated ones included. */
function drawn(output: string): string[] {
  return stripVTControlCharacters(output)
    .split(/[\r\n]+/)
    .filter((line) => line !== '');
}

for (const columns of [40, 80, 200]) {
  test(`progress on a terminal of ${columns} columns: name, bytes, rate, time, on one line`, async (t) => {
    if (!havePeer(t, 'python3')) return;
    const { hop, finish } = await stagedServer(t);
    const folder = tempFolder(t);
    const name = 'a file with quite a long name, longer than a narrow terminal is wide.tar.gz';
    writeFileSync(join(folder, 'input.txt'), formatInput({ name, route: [hop] }));
    const client = onTerminal(t, ['client', 'input.txt'], { cwd: folder, columns });
    const line = await client.until(({ stdout }) =>
      drawn(stdout).find((text) => / {2}1\.46 KiB +\S+ \S+\/s +\d+\.\d\d s$/.test(text)),
    );
    assert.ok(line.startsWith('a file'), line);
    for (const text of drawn(client.stdout)) assert.ok(text.length <= columns, text);
    finish();
    assert.equal(await client.ended, 0);
    const end = drawn(client.stdout).slice(-2).join('\n');
    assert.match(end, /^The file got downloaded in the client\.\n.*1\.95 KiB/);
    assert.ok(stripVTControlCharacters(client.stdout).endsWith('/s\r\n'));
  });
}

for (const columns of [40, 80]) {
  test(`a name of wide characters stays on one line of ${columns} columns`, async (t) => {
    if (!havePeer(t, 'python3')) return;
    const { hop, finish } = await stagedServer(t);
    const folder = tempFolder(t);
    const name = '文件'.repeat(15);
    writeFileSync(join(folder, 'input.txt'), formatInput({ name, route: [hop] }));
    const client = onTerminal(t, ['client', 'input.txt'], { cwd: folder, columns });
    await client.until(({ stdout }) => stdout.includes('1.46 KiB'));
    for (const text of drawn(client.stdout).filter((line) => line.trim() !== '')) {
      assert.match(text, /^(文件)*文?… +\S+ K?i?B +(\S+ \S+\/s +\d+\.\d\d s|connecting)$/);
      assert.ok(stringWidth(text) <= columns, text);
    }
    finish();
    assert.equal(await client.ended, 0);
  });
}

test('progress is on standard error: -o - on a pipe has only the bytes', async (t) => {
  if (!havePeer(t, 'python3')) return;
  const { hop, finish } = await stagedServer(t);
  const folder = tempFolder(t);
  const stdoutTo = join(folder, 'out');
  writeFileSync(join(folder, 'input.txt'), formatInput({ name: 'file', route: [hop] }));
  const client = onTerminal(t, ['client', 'input.txt', '-o', '-'], { cwd: folder, stdoutTo });
  await client.until(({ stdout }) => drawn(stdout).some((text) => /^\S+ {2}1\.46 KiB {2}/.test(text)));
  finish();
  assert.equal(await client.ended, 0);
  assert.equal(readFileSync(stdoutTo, 'utf8'), 'x'.repeat(1500) + 'y'.repeat(500));
});

test('Ctrl-C on a terminal leaves one line: neither the progress nor a partial file', async (t) => {
  if (!havePeer(t, 'python3')) return;
  const { hop } = await stagedServer(t);
  const folder = tempFolder(t);
  writeFileSync(join(folder, 'input.txt'), formatInput({ name: 'file', route: [hop] }));
  const client = onTerminal(t, ['client', 'input.txt'], { cwd: folder });
  await client.until(({ stdout }) => stdout.includes('1.46 KiB'));
  client.process.stdin?.write('\u0003');
  assert.equal(await client.ended, 130);
  const erased = client.stdout.lastIndexOf(`${ESCAPE}[1A${ESCAPE}[J`);
  assert.ok(erased > client.stdout.lastIndexOf('KiB'), 'the progress was taken off');
  const last = drawn(client.stdout).at(-1) ?? '';
  assert.match(last, /^(\^C)?viaduct: interrupted by SIGINT; nothing was saved$/);
  assert.deepEqual(readdirSync(folder), ['input.txt']);
});

test('no progress and no escape sequences if standard error is not a terminal', async (t) => {
  const { hop, finish } = await stagedServer(t);
  const client = startClient(t, tempFolder(t), { name: 'file', route: [hop] }, ['-o', '-']);
  await client.until(({ stdout }) => stdout.length === 1500);
  finish();
  assert.equal(await client.ended, 0);
  assert.match(client.stderr, /^The file got downloaded in the client\.\nfile {2}1\.95 KiB {2}[^\n]+\n$/);
});

test('control characters of a name are not drawn', async (t) => {
  if (!havePeer(t, 'python3')) return;
  const { hop, finish } = await stagedServer(t);
  const folder = tempFolder(t);
  const name = `a${ESCAPE}]0;title\u0007b`;
  writeFileSync(join(folder, 'input.txt'), formatInput({ name, route: [hop] }));
  const client = onTerminal(t, ['client', 'input.txt'], { cwd: folder });
  await client.until(({ stdout }) => stdout.includes('a\\x1b]0;title\\x07b  1.46 KiB'));
  finish();
  assert.equal(await client.ended, 0);
  assert.ok(!client.stdout.includes(`${ESCAPE}]0;`) && !client.stdout.includes('\u0007'));
});

test('get: a file that ends while another one runs is printed at once, above the progress', async (t) => {
  if (!havePeer(t, 'python3')) return;
  const bytes = Buffer.from('content');
  let slow: Socket | undefined;
  const { location } = await fileOrigin(t, (socket, asked) => {
    const reply = honestReply(bytes, asked);
    if (asked.path === '/fast') return void socket.end(reply);
    socket.write(reply.subarray(0, -1));
    slow = socket;
  });
  const urls = ['slow', 'fast'].map((name) => formatLocation({ ...location, path: `/${name}` }));
  const child = onTerminal(t, ['get', '--plain', ...urls], { cwd: tempFolder(t) });
  await child.until(({ stdout }) => drawn(stdout).some((text) => /^fast {2}7 B .* verified$/.test(text)));
  await child.until(({ stdout }) => drawn(stdout).some((text) => /^slow +85% .* 6 B .*silent 2s/.test(text)));
  slow?.end(bytes.subarray(-1));
  assert.equal(await child.ended, 0);
  assert.equal(drawn(child.stdout).filter((text) => text.endsWith(' verified')).length, 2);
});
