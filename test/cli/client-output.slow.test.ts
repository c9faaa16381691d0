import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type HostHop, formatInput } from 'viaduct';
import { testChain, testNode } from '../support/nodes.js';
import { Child, PROGRAM, startClient } from '../support/processes.js';
import { runInProcess } from '../support/program.js';
import { rawServer } from '../support/raw.js';
import { smallDisk } from '../support/small-disk.js';
import { randomFile, sha256, tempFolder } from '../support/temp.js';
import { assertOneLine } from './assertions.js';

const MIB = 1024 * 1024;

/** A served file and the route to it. */
async function served(
  t: TestContext,
  size: number,
): Promise<{ readonly bytes: Buffer; readonly route: readonly HostHop[] }> {
  const root = tempFolder(t);
  const bytes = randomFile(root, 'file', size);
  const { route } = await testChain(t, 2, { root });
  return { bytes, route };
}

test('-o FILE saves under that name, in another folder too', async (t) => {
  const { bytes, route } = await served(t, 100_000);
  const folder = tempFolder(t);
  mkdirSync(join(folder, 'sub'));
  const client = startClient(t, folder, { name: 'file', route }, ['-o', 'sub/other']);
  assert.equal(await client.ended, 0, client.stderr);
  assert.match(client.stdout, /^The file got downloaded in the client\.\nsub\/other {2}97\.7 KiB {2}/);
  assert.deepEqual(readFileSync(join(folder, 'sub/other')), bytes);
  assert.deepEqual(readdirSync(folder).toSorted(), ['input.txt', 'sub']);
  assert.deepEqual(readdirSync(join(folder, 'sub')), ['other']);
});

test('-o with a folder saves into it under the remote name, as get does', async (t) => {
  const { bytes, route } = await served(t, 1000);
  for (const output of ['sub', 'sub/', 'new/']) {
    const folder = tempFolder(t);
    mkdirSync(join(folder, 'sub'));
    const client = startClient(t, folder, { name: 'file', route }, ['-o', output]);
    assert.equal(await client.ended, 0, client.stderr);
    assert.deepEqual(readFileSync(join(folder, output, 'file')), bytes);
  }
});

for (const [what, redirection] of [
  ['a pipe', '| cat >'],
  ['a file', '>'],
  ['the end of a file', '>>'],
] as const) {
  test(`-o - writes the bytes, and only them, to ${what}`, async (t) => {
    const { bytes, route } = await served(t, 3 * MIB + 1);
    const folder = tempFolder(t);
    writeFileSync(join(folder, 'input.txt'), formatInput({ name: 'file', route }));
    const command = `"${process.execPath}" "${PROGRAM}" client input.txt -o - ${redirection} out`;
    const shell = new Child(t, 'sh', ['-c', command], { cwd: folder });
    assert.equal(await shell.ended, 0);
    assert.equal(sha256(readFileSync(join(folder, 'out'))), sha256(bytes));
    assert.match(shell.stderr, /^The file got downloaded in the client\.\nfile {2}3\.00 MiB {2}[^\n]+\n$/);
    assert.deepEqual(readdirSync(folder).toSorted(), ['input.txt', 'out']);
  });
}

test('-o with a missing folder, a folder in its place, no file name or a full device: one line, exit code 23', async (t) => {
  const { route } = await served(t, 1000);
  const folder = tempFolder(t);
  mkdirSync(join(folder, 'sub/file'), { recursive: true });
  symlinkSync('nowhere', join(folder, 'link'));
  for (const [target, line] of [
    ['absent/file', /cannot write absent\/file: no such file or directory/],
    ['sub', /cannot write sub\/file: it is a folder/],
    ['', /cannot write : it is not the name of a file/],
    ['link', /cannot write link: it is a broken link/],
    ['input.txt/file', /cannot write input\.txt\/file: not a directory/],
    ['/dev/full', /cannot write \/dev\/full: no space left on device/],
  ] as const) {
    writeFileSync(join(folder, 'input.txt'), formatInput({ name: 'file', route }));
    assertOneLine(await runInProcess(['client', 'input.txt', '-o', target], { cwd: folder }), 23, line);
  }
  assert.deepEqual(readdirSync(folder).toSorted(), ['input.txt', 'link', 'sub']);
  assert.deepEqual(readdirSync(join(folder, 'sub')), ['file']);
});

test('a reader of -o - that closes the pipe early: one line, exit code 23', async (t) => {
  const { route } = await served(t, 3 * MIB);
  const folder = tempFolder(t);
  const client = startClient(t, folder, { name: 'file', route }, ['-o', '-']);
  await client.until(({ stdout }) => stdout.length > 0);
  client.process.stdout?.destroy();
  const code = await client.ended;
  assertOneLine({ code, stdout: '', stderr: client.stderr }, 23, /cannot write standard output: broken pipe/);
});

test('-o - to a full device: one line, exit code 23', async (t) => {
  const { route } = await served(t, 1000);
  const folder = tempFolder(t);
  writeFileSync(join(folder, 'input.txt'), formatInput({ name: 'file', route }));
  const command = `"${process.execPath}" "${PROGRAM}" client input.txt -o - > /dev/full`;
  const shell = new Child(t, 'sh', ['-c', command], { cwd: folder });
  const code = await shell.ended;
  assertOneLine({ code, stdout: '', stderr: shell.stderr }, 23, /standard output: no space left on device/);
});

const names: readonly (readonly [string, string])[] = [
  ['../x', 'x'],
  ['a/b/c', 'c'],
  ['/etc/x', 'x'],
  ['folder/', 'folder'],
  ['..x', '..x'],
  ['-o', '-o'],
  ['back\\slash', 'back\\slash'],
  ['the end.', 'the end.'],
];
for (const [name, saved] of names) {
  test(`the remote name ${name} is saved as ${saved}`, async (t) => {
    const { hop } = await rawServer(t, (socket) => socket.end('bytes'));
    const parent = tempFolder(t);
    const folder = join(parent, 'here');
    mkdirSync(folder);
    writeFileSync(join(folder, 'input.txt'), formatInput({ name, route: [hop] }));
    const run = await runInProcess(['client', 'input.txt'], { cwd: folder });
    assert.equal(run.code, 0, run.stderr);
    assert.equal(readFileSync(join(folder, saved), 'utf8'), 'bytes');
    assert.deepEqual(readdirSync(folder).toSorted(), [saved, 'input.txt'].toSorted());
    assert.deepEqual(readdirSync(parent), ['here']);
  });
}

test('control characters of a name are not printed', async (t) => {
  const { hop } = await rawServer(t, (socket) => socket.end('bytes'));
  const folder = tempFolder(t);
  const name = 'a\u001b]0;title\u0007\u202eb\u009bc';
  const client = startClient(t, folder, { name, route: [hop] });
  assert.equal(await client.ended, 0, client.stderr);
  assert.ok(client.stdout.includes('\na\\x1b]0;title\\x07\\u{202e}b\\x9bc  5 B'), client.stdout);
  assert.equal(readFileSync(join(folder, name), 'utf8'), 'bytes');
});

test('an existing file is replaced by the complete new one; a symbolic link remains', async (t) => {
  const { bytes, route } = await served(t, 100_000);
  const folder = tempFolder(t);
  writeFileSync(join(folder, 'old'), 'old content');
  symlinkSync('old', join(folder, 'file'));
  const client = startClient(t, folder, { name: 'file', route });
  assert.equal(await client.ended, 0, client.stderr);
  assert.deepEqual(readFileSync(join(folder, 'old')), bytes);
  const entries = readdirSync(folder, { withFileTypes: true });
  assert.ok(entries.find((entry) => entry.name === 'file')?.isSymbolicLink());
});

test('a disk that becomes full: one line, exit code 23, and no new file', async (t) => {
  const disk = smallDisk(t);
  if (disk === undefined) return;
  const root = tempFolder(t);
  randomFile(root, 'file', MIB + 100);
  const { hop } = await testNode(t, { root });
  writeFileSync(join(disk, 'file'), 'old content');
  const client = startClient(t, disk, { name: 'file', route: [hop] });
  const code = await client.ended;
  assertOneLine({ code, stdout: client.stdout, stderr: client.stderr }, 23, /file: no space left on device/);
  assert.equal(readFileSync(join(disk, 'file'), 'utf8'), 'old content');
  assert.deepEqual(readdirSync(disk).toSorted(), ['file', 'input.txt']);
});

test('-o - to a file on a disk without space for the last bytes: exit code 23', async (t) => {
  const disk = smallDisk(t);
  if (disk === undefined) return;
  const root = tempFolder(t);
  randomFile(root, 'file', MIB + 100);
  const { hop } = await testNode(t, { root });
  const folder = tempFolder(t);
  writeFileSync(join(folder, 'input.txt'), formatInput({ name: 'file', route: [hop] }));
  const command = `"${process.execPath}" "${PROGRAM}" client input.txt -o - > "${disk}/out"`;
  const shell = new Child(t, 'sh', ['-c', command], { cwd: folder });
  const code = await shell.ended;
  assertOneLine({ code, stdout: '', stderr: shell.stderr }, 23, /standard output: no space left on device/);
});
