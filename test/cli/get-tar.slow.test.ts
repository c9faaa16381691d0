import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { formatLocation } from 'viaduct';
import { askTar } from '../support/archives.js';
import { faultProxy } from '../support/fault-proxy.js';
import { fileOrigin, replyOf } from '../support/file-origin.js';
import { PINNED } from '../support/identity.js';
import { testChain } from '../support/nodes.js';
import { eventsOf, runViaduct } from '../support/processes.js';
import { runInProcess } from '../support/program.js';
import { readTar } from '../support/tar.js';
import { randomFile, tempFolder } from '../support/temp.js';
import { ENCRYPTED } from '../support/wires.js';
import { assertOneLine } from './assertions.js';

const MIB = 1024 * 1024;

/** `dir/` behind a relay: a large file and a small one. */
async function prepare(t: TestContext) {
  const root = tempFolder(t);
  const dir = join(root, 'dir');
  mkdirSync(dir);
  randomFile(dir, 'large', 3 * MIB);
  writeFileSync(join(dir, 'small'), 'small');
  const { nodes, route } = await testChain(t, 2, { root });
  const origin = nodes[1] ?? assert.fail();
  const { body } = await askTar(t, origin.hop, '/dir/');
  return { dir, route, body, url: formatLocation({ route, path: '/dir/' }), folder: tempFolder(t) };
}

const namesIn = (bytes: Buffer): string[] => readTar(bytes).entries.map(({ name }) => name);

test('--tar saves the archive under the name of the folder, in one line', async (t) => {
  const { url, body, folder } = await prepare(t);
  const { code, stdout, stderr } = await runInProcess(['get', ...PINNED, '--tar', url], { cwd: folder });
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(stdout, /^dir\.tar {2}3\.0\d MiB {2}.* {2}protected by TLS\n$/);
  assert.deepEqual(readdirSync(folder), ['dir.tar']);
  assert.ok(readFileSync(join(folder, 'dir.tar')).equals(body));
});

test('the location needs no slash at its end, and -o names the file, or a folder for it', async (t) => {
  const { url, folder } = await prepare(t);
  for (const [output, target] of [
    ['x', 'x'],
    ['sub/', 'sub/dir.tar'],
  ] as const) {
    const args = ['get', ...PINNED, '--tar', '-q', url.replace(/\/$/, ''), '-o', output];
    const { code, stderr } = await runInProcess(args, { cwd: folder });
    assert.deepEqual([code, stderr], [0, '']);
    assert.deepEqual(namesIn(readFileSync(join(folder, target))), ['dir/', 'dir/large', 'dir/small']);
  }
});

test('-o - writes the archive to standard output, of the root too', async (t) => {
  const { route } = await prepare(t);
  const url = formatLocation({ route, path: '/' });
  const args = ['get', ...PINNED, '--tar', '-q', url, '-o', '-'];
  const { code, stdout } = await runInProcess(args);
  assert.equal(code, 0);
  assert.ok(stdout.startsWith('files/\0'));
  const named = await runInProcess(['get', ...PINNED, '--tar', url], { cwd: tempFolder(t) });
  assertOneLine(named, 2, /the root folder of a host has no name; give one with -o/);
});

test('what is left out is reported, with exit code 22; the archive is saved', async (t) => {
  const { url, dir, folder } = await prepare(t);
  for (const name of ['one', 'two']) symlinkSync('small', join(dir, name));
  const { code, stdout, stderr } = await runInProcess(['get', ...PINNED, '--tar', url], { cwd: folder });
  assert.equal(code, 22);
  assert.match(stderr, /^viaduct: hop 2 \(.*\) leaves out of the archive: 2 links\n$/);
  assert.match(stdout, /^dir\.tar/);
  assert.deepEqual(namesIn(readFileSync(join(folder, 'dir.tar'))), ['dir/', 'dir/large', 'dir/small']);
  const toStdout = await runInProcess(['get', ...PINNED, '--tar', url, '-q', '-o', '-']);
  assert.equal(toStdout.code, 22);
});

describe('a broken connection is resumed', () => {
  for (const output of ['dir.tar', '-'])
    test(`to ${output}`, async (t) => {
      const { route, body, folder } = await prepare(t);
      const [first, origin] = route;
      assert.ok(first && origin);
      // The second connection is the one that goes on.
      const { hop, kinds } = await faultProxy(t, first, (connection) => ({
        kind: 'reset',
        at: connection === 0 ? 2 * MIB : Infinity,
      }));
      const url = formatLocation({ route: [hop, origin], path: '/dir/' });
      const args = ['get', ...PINNED, '--tar', '--json', '--segments', '1', url, '-o', output];
      const run = await runViaduct(t, args, { cwd: folder });
      assert.equal(run.code, 0, run.stderr);
      assert.deepEqual([...kinds], ['reset']);
      const events = eventsOf({ stdout: output === '-' ? run.stderr : run.stdout });
      const offsets = events.filter(({ event }) => event === 'reply').map(({ offset }) => Number(offset));
      assert.equal(offsets.length, 2);
      assert.ok((offsets[1] ?? 0) > 0, 'it did not begin again');
      assert.equal(events.find(({ event }) => event === 'complete')?.['received'], body.length);
      if (output !== '-') assert.ok(readFileSync(join(folder, output)).equals(body));
    });
});

test('over several connections', async (t) => {
  const { url, body, folder } = await prepare(t);
  const { code } = await runInProcess(['get', ...PINNED, '--tar', '-q', '--segments', '4', url], {
    cwd: folder,
  });
  assert.equal(code, 0);
  assert.ok(readFileSync(join(folder, 'dir.tar')).equals(body));
});

for (const changed of [false, true])
  test(`the same command goes on after a failure, and starts over if the tree has changed: ${changed}`, async (t) => {
    const { route, url, dir, folder } = await prepare(t);
    const [first, origin] = route;
    assert.ok(first && origin);
    const { hop } = await faultProxy(t, first, { kind: 'reset', at: 2 * MIB });
    const broken = formatLocation({ route: [hop, origin], path: '/dir/' });
    const args = ['get', ...PINNED, '--tar', '--segments', '1', '--retry', '2'];
    assert.equal((await runInProcess([...args, '--retry', '0', broken], { cwd: folder })).code, 18);
    assert.deepEqual(readdirSync(folder), ['dir.tar.part', 'dir.tar.part.json']);
    if (changed) appendFileSync(join(dir, 'small'), ' no more');
    const { code, stdout, stderr } = await runInProcess([...args, url], { cwd: folder });
    assert.equal(code, 0, stderr);
    assert.deepEqual([stdout.includes('resumed at'), stderr.includes('starting over')], [!changed, changed]);
    const { entries } = readTar(readFileSync(join(folder, 'dir.tar')));
    const small = entries.find(({ name }) => name === 'dir/small')?.content.toString();
    assert.equal(small, changed ? 'small no more' : 'small');
  });

test('without encryption it needs --no-verify; -r is another way to fetch a folder; a file has no archive', async (t) => {
  const { url, folder } = await prepare(t);
  const run = (...args: readonly string[]) => runInProcess(['get', '--tar', ...args], { cwd: folder });
  assertOneLine(
    await run('--plain', url),
    22,
    /no SHA-256 that would verify it without encryption \(--no-verify/,
  );
  const unverified = await run('--plain', '--no-verify', url);
  assert.deepEqual([unverified.code, unverified.stdout.endsWith('not verified\n')], [0, true]);
  assertOneLine(await run('-r', url), 2, /'--tar' cannot be used with option '-r, --recursive'/);
  assertOneLine(await run(...PINNED, `${url}small`), 22, /there is no folder "dir\/small\/"/);
});

test('a node that knows no archives is recognized', async (t) => {
  const { location } = await fileOrigin(
    t,
    (socket) => void socket.end(replyOf(200, { 'Content-Type': 'text/html' }, '<html>')),
    ENCRYPTED,
  );
  const url = formatLocation({ ...location, path: '/dir/' });
  const run = await runInProcess(['get', ...PINNED, '--tar', url], { cwd: tempFolder(t) });
  assertOneLine(run, 22, /does not send folders as one file; use -r to fetch the folder/);
});
