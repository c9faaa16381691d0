import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, readdirSync, statSync, watch, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { HostHop } from 'viaduct';
import { type Child, runViaduct, startClient } from '../support/processes.js';
import { rawServer } from '../support/raw.js';
import { tempFolder } from '../support/temp.js';
import { assertOneLine } from './assertions.js';

const OLD = 'old content';

/** A server that acts once it has received the whole message of the client. */
async function afterMessage(t: TestContext, act: (socket: Socket) => void): Promise<HostHop> {
  const { hop } = await rawServer(t, (socket) => socket.once('data', () => act(socket)));
  return hop;
}

/** A folder that already contains a file with the name of the fetched one. */
function folderWithOld(t: TestContext): string {
  const folder = tempFolder(t);
  writeFileSync(join(folder, 'file'), OLD);
  return folder;
}

/** Asserts one line, an unchanged old file and no new file. */
async function assertNothingNew(client: Child, folder: string, code: number, line: RegExp): Promise<void> {
  const found = await client.ended;
  assertOneLine({ code: found, stdout: client.stdout, stderr: client.stderr }, code, line);
  assert.equal(readFileSync(join(folder, 'file'), 'utf8'), OLD);
  assert.deepEqual(readdirSync(folder).toSorted(), ['file', 'input.txt']);
}

/** Waits until the partial file in a folder has reached a size. */
async function partialOf(folder: string, size: number): Promise<void> {
  const watcher = watch(folder);
  try {
    for (;;) {
      const partial = readdirSync(folder).find((name) => name.endsWith('.part'));
      if (partial !== undefined && statSync(join(folder, partial)).size >= size) return;
      await once(watcher, 'change');
    }
  } finally {
    watcher.close();
  }
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  test(`${signal} during the transfer: exit code ${code}, no new file`, async (t) => {
    const hop = await afterMessage(t, (socket) => socket.write(Buffer.alloc(1000)));
    const folder = folderWithOld(t);
    const client = startClient(t, folder, { name: 'file', route: [hop] });
    await partialOf(folder, 1000);
    client.process.kill(signal);
    await assertNothingNew(client, folder, code, new RegExp(`interrupted by ${signal}; nothing was saved`));
  });

  test(`${signal} before the first byte: exit code ${code}, no new file`, async (t) => {
    const { hop, server } = await rawServer(t, () => {});
    const folder = folderWithOld(t);
    const client = startClient(t, folder, { name: 'file', route: [hop] });
    const [socket] = (await once(server, 'connection')) as [Socket];
    await once(socket, 'data');
    client.process.kill(signal);
    await assertNothingNew(client, folder, code, new RegExp(`interrupted by ${signal}; nothing was saved`));
  });

  test(`${signal} while the pipe of -o - is not read: exit code ${code}`, async (t) => {
    const hop = await afterMessage(t, (socket) => socket.end(Buffer.alloc(8 * 1024 * 1024)));
    const client = startClient(t, tempFolder(t), { name: 'file', route: [hop] }, ['-o', '-']);
    await client.until(({ stdout }) => stdout.length > 0);
    client.process.stdout?.pause();
    client.process.kill(signal);
    // `ended` waits for the end of the pipe, which comes after the bytes from before the pause.
    // On a slow machine the default action of the signal may be faster; a shell sees the same code.
    const [exitCode] = (await once(client.process, 'exit')) as [number | null];
    client.process.stdout?.resume();
    assert.equal(exitCode ?? 128 + constants.signals[signal], code);
    await client.ended;
    assert.equal(client.stderr, `viaduct: interrupted by ${signal}\n`);
  });
}

test('a reset during the transfer: one line, exit code 18, no new file', async (t) => {
  const folder = folderWithOld(t);
  const hop = await afterMessage(t, (socket) => {
    socket.write(Buffer.alloc(1000));
    void partialOf(folder, 1000).then(() => socket.resetAndDestroy());
  });
  const client = startClient(t, folder, { name: 'file', route: [hop] });
  const line = new RegExp(
    `hop 1 \\(127\\.0\\.0\\.1:${hop.port}\\) reset the connection after 1000 bytes: the chain broke there or beyond \\(`,
  );
  await assertNothingNew(client, folder, 18, line);
});

test('a reset instead of a reply: one line, exit code 18, no new file', async (t) => {
  const folder = folderWithOld(t);
  const hop = await afterMessage(t, (socket) => socket.resetAndDestroy());
  const client = startClient(t, folder, { name: 'file', route: [hop] });
  await assertNothingNew(
    client,
    folder,
    18,
    /reset the connection after 0 bytes: the chain broke there or beyond, the last hop has no such file, a node serves only in TLS \(--tls-only; use get\) or lets only clients with a key read \(--access keys; use get\), or a node has reached its limit of connections \(--max-connections\) or of hops \(--max-hops\) \(/,
  );
});

test('silence from the start: a timeout with its length and the number of bytes, exit code 28', async (t) => {
  const folder = folderWithOld(t);
  const hop = await afterMessage(t, () => {});
  const client = startClient(t, folder, { name: 'file', route: [hop] }, ['--timeout', '0.3']);
  const line = new RegExp(`no data for 0\\.3 s from hop 1 \\(127\\.0\\.0\\.1:${hop.port}\\), after 0 bytes`);
  await assertNothingNew(client, folder, 28, line);
});

test('silence after some bytes: a timeout with their number, exit code 28', async (t) => {
  const folder = folderWithOld(t);
  const hop = await afterMessage(t, (socket) => socket.write(Buffer.alloc(1000)));
  const client = startClient(t, folder, { name: 'file', route: [hop] }, ['--timeout', '0.3']);
  await assertNothingNew(client, folder, 28, /no data for 0\.3 s from hop 1 .*, after 1000 bytes/);
});

test('a port without a listener: one line, exit code 7, no new file', async (t) => {
  const { hop, server } = await rawServer(t, (socket) => socket.destroy());
  server.close();
  await once(server, 'close');
  const folder = folderWithOld(t);
  const client = startClient(t, folder, { name: 'file', route: [hop] });
  await assertNothingNew(client, folder, 7, new RegExp(`${hop.port}\\) refused the connection \\(is a node`));
});

test('a name that does not resolve: one line, exit code 6, no new file', async (t) => {
  const folder = tempFolder(t);
  // Without any name server, one short attempt fails.
  const env = { ...process.env, RES_OPTIONS: 'attempts:1 timeout:1' };
  const input = 'file\nno-such-host.invalid 12000\n';
  const run = await runViaduct(t, ['client', '-'], { cwd: folder, env, input });
  assertOneLine(run, 6, /hop 1 \(no-such-host\.invalid:12000\) (does not resolve|cannot be resolved)/);
  assert.deepEqual(readdirSync(folder), []);
});

test('an orderly end without a byte: success with a warning', async (t) => {
  const folder = folderWithOld(t);
  const hop = await afterMessage(t, (socket) => socket.end());
  const client = startClient(t, folder, { name: 'file', route: [hop] });
  assert.equal(await client.ended, 0);
  assert.match(client.stdout, /^The file got downloaded in the client\.\nfile {2}0 B {2}[^\n]+\n$/);
  assert.match(client.stderr, /^viaduct: warning: the file is empty; [^\n]+\n$/);
  assert.equal(readFileSync(join(folder, 'file')).length, 0);
});
