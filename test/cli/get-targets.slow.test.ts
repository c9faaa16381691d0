import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { formatLocation } from 'viaduct';
import { testChain } from '../support/nodes.js';
import { eventsOf, runViaduct, startGet } from '../support/processes.js';
import { runInProcess } from '../support/program.js';
import { smallDisk } from '../support/small-disk.js';
import { randomFile, tempFolder } from '../support/temp.js';
import { assertOneLine } from './assertions.js';
import { PINNED } from '../support/identity.js';
import { WIRES } from '../support/wires.js';

const MIB = 1024 * 1024;

async function served(t: TestContext, size: number) {
  const root = tempFolder(t);
  const bytes = randomFile(root, 'file', size);
  const { route } = await testChain(t, 2, { root });
  return { bytes, url: formatLocation({ route, path: '/file' }) };
}

test('get fails before it writes anything if the disk is too full', async (t) => {
  const disk = smallDisk(t);
  if (disk === undefined) return;
  const { url } = await served(t, MIB + 100);
  writeFileSync(join(disk, 'file'), 'old content');
  const run = await runViaduct(t, ['get', ...PINNED, url], { cwd: disk });
  assertOneLine(run, 23, /cannot write file: the disk is too full: 1\.00 MiB needed, \d+ KiB free/);
  assert.equal(readFileSync(join(disk, 'file'), 'utf8'), 'old content');
  assert.deepEqual(readdirSync(disk), ['file']);
});

test('-o - to a full disk is exit code 23', async (t) => {
  const { url } = await served(t, 1000);
  assertOneLine(
    await runViaduct(t, ['get', ...PINNED, url, '-o', '/dev/full']),
    23,
    /\/dev\/full: no space left on device/,
  );
});

test('a read-only folder', async (t) => {
  const disk = smallDisk(t, 'ro');
  if (disk === undefined) return;
  const { url } = await served(t, 1000);
  assertOneLine(
    await runViaduct(t, ['get', ...PINNED, url], { cwd: disk }),
    23,
    /cannot write file: read-only file system/,
  );
});

test('a target that is a file named as a folder, below a file, in a missing folder, or protected by --no-clobber', async (t) => {
  const { url } = await served(t, 1000);
  const folder = tempFolder(t);
  mkdirSync(join(folder, 'folder'));
  writeFileSync(join(folder, 'kept'), 'kept');
  for (const [target, line, ...more] of [
    ['kept/', /not a directory|not a folder/],
    ['kept/file', /not a directory/],
    ['none/file', /no such file or directory/],
    ['kept', /cannot write kept: it already exists \(--no-clobber\)/, '--no-clobber'],
  ] as const) {
    assertOneLine(
      await runInProcess(['get', ...PINNED, url, '-o', target, ...more], { cwd: folder }),
      23,
      line,
    );
  }
  assert.equal(readFileSync(join(folder, 'kept'), 'utf8'), 'kept');
  assert.deepEqual(readdirSync(folder), ['folder', 'kept']);
});

test('-o with a folder, a link to one, or a path that ends with / saves into it under the remote name', async (t) => {
  const { url, bytes } = await served(t, 1000);
  for (const [output, saved, ...more] of [
    ['folder', 'folder/file'],
    ['folder/', 'folder/file'],
    ['link', 'folder/file'],
    ['new/', 'new/file'],
    ['new/deep/', 'new/deep/file'],
    ['folder', 'folder/file', '-r'],
    ['new/', 'new/file', '-r'],
    ['copy', 'copy', '-r'],
  ] as const) {
    const folder = tempFolder(t);
    mkdirSync(join(folder, 'folder'));
    symlinkSync('folder', join(folder, 'link'));
    const run = await runInProcess(['get', ...PINNED, url, '-o', output, ...more], { cwd: folder });
    assert.deepEqual([run.code, run.stderr], [0, ''], output);
    assert.ok(readFileSync(join(folder, saved)).equals(bytes), output);
  }
});

test('get -r of a file saves it, and of what does not exist names the file', async (t) => {
  const { url, bytes } = await served(t, 1000);
  const folder = tempFolder(t);
  const run = await runInProcess(['get', ...PINNED, '-r', url], { cwd: folder });
  assert.deepEqual([run.code, run.stderr], [0, '']);
  assert.match(run.stdout, /^1 file  1000 B /);
  assert.ok(readFileSync(join(folder, 'file')).equals(bytes));
  for (const [from, reason] of [
    [`${url}x`, /there is no file "filex"/],
    [`${url}/`, /there is no folder "file\/"/],
  ] as const) {
    const failed = await runInProcess(['get', ...PINNED, '-r', from], { cwd: folder });
    assert.equal(failed.code, 22);
    assert.match(failed.stderr, reason);
  }
  assert.deepEqual(readdirSync(folder), ['file']);
});

test('a file FILE.part that viaduct did not create is not touched', async (t) => {
  const { url } = await served(t, 1000);
  const folder = tempFolder(t);
  writeFileSync(join(folder, 'file.part'), 'not ours');
  const run = await runViaduct(t, ['get', ...PINNED, url], { cwd: folder });
  assertOneLine(run, 23, /file\.part was not created by viaduct; move or delete it/);
  assert.equal(readFileSync(join(folder, 'file.part'), 'utf8'), 'not ours');
});

for (const wire of WIRES)
  test(`Ctrl-C keeps and reports a partial file that can be resumed (${wire.name})`, async (t) => {
    const { url, bytes } = await served(t, 4 * MIB);
    const folder = tempFolder(t);
    for (const [signal, exit] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
      ['SIGHUP', 129],
    ] as const) {
      const child = startGet(t, folder, [...wire.args, url, '--limit-rate', '1M']);
      const before = readdirSync(folder).includes('file.part') ? statSync(join(folder, 'file.part')).size : 0;
      await grows(folder, before);
      child.process.kill(signal);
      assert.equal(await child.ended, exit, child.stderr);
      const kept = '[\\d.]+ [KM]iB of 4\\.00 MiB saved in file\\.part, run the same command again to resume';
      assert.match(child.stderr, new RegExp(`^viaduct: interrupted by ${signal}; ${kept}\\n$`));
      assert.deepEqual(readdirSync(folder), ['file.part', 'file.part.json']);
    }
    const last = await runViaduct(t, ['get', ...wire.args, url], { cwd: folder });
    assert.equal(last.code, 0, last.stderr);
    assert.match(
      last.stdout,
      /^file {2}4\.00 MiB {2}resumed at [\d.]+ [KM]iB {2}[\d.]+ s {2}\S+ \S+\/s {2}verified\n$/,
    );
    assert.ok(readFileSync(join(folder, 'file')).equals(bytes));
  });

/** Resolves when the partial file has grown. */
async function grows(folder: string, from: number): Promise<void> {
  for (;;) {
    const size = statSync(join(folder, 'file.part'), { throwIfNoEntry: false })?.size ?? 0;
    if (size > from) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('two downloads of one target: the second fails, the first completes', async (t) => {
  const { url, bytes } = await served(t, 4 * MIB);
  const folder = tempFolder(t);
  const first = startGet(t, folder, [...PINNED, url, '--limit-rate', '2M', '--json']);
  await first.until((child) => eventsOf(child).some(({ event }) => event === 'progress'));
  const second = await runViaduct(t, ['get', ...PINNED, url], { cwd: folder });
  assertOneLine(second, 23, /another process is writing file \(wait until it has finished\)/);
  assert.equal(await first.ended, 0, first.stderr);
  assert.ok(readFileSync(join(folder, 'file')).equals(bytes));
});

for (const wire of WIRES)
  test(`--max-time ends all transfers and keeps the partial file (${wire.name})`, async (t) => {
    const { url } = await served(t, 4 * MIB);
    const folder = tempFolder(t);
    const run = await runViaduct(t, ['get', ...wire.args, url, '--limit-rate', '500K', '--max-time', '1.5'], {
      cwd: folder,
    });
    assert.equal(run.code, 28);
    assert.match(
      run.stderr,
      /^viaduct: timeout: not finished within 1\.5 s \(--max-time\); [\d.]+ KiB of 4\.00 MiB saved in file\.part, [^\n]+\n$/,
    );
    assert.deepEqual(readdirSync(folder), ['file.part', 'file.part.json']);
  });

test('a refusal before the first reply fails at once, also with a partial file, and names --retry-connect', async (t) => {
  const { url } = await served(t, MIB);
  const folder = tempFolder(t);
  const child = startGet(t, folder, [...PINNED, url, '--limit-rate', '200K']);
  await grows(folder, 0);
  child.process.kill('SIGINT');
  await child.ended;
  const wrong = 'http://127.0.0.1:1025/file';
  const hint = /refused the connection \(is a node running there\?\); --retry-connect retries this/;
  const line = (await runInProcess(['get', ...PINNED, wrong], { cwd: folder })).stderr;
  assert.match(line, hint);
  assert.equal(line.split('\n').length, 2);
  const retried = await runInProcess(['get', ...PINNED, wrong, '--retry-connect', '--retry', '1'], {
    cwd: folder,
  });
  assert.equal(retried.code, 7);
  assert.match(retried.stderr, /refused the connection; retrying in [\d.]+ s\n/);
  assert.doesNotMatch(retried.stderr, /retries this/);
});

test('several files with -o FILE: the folder is asked for, and the file stays', async (t) => {
  const { url } = await served(t, 1000);
  const folder = tempFolder(t);
  writeFileSync(join(folder, 'kept'), 'kept');
  const run = await runInProcess(['get', ...PINNED, url, `${url}2`, '-o', 'kept'], { cwd: folder });
  assertOneLine(run, 2, /with several files -o must be a folder; kept is none/);
  assert.equal(readFileSync(join(folder, 'kept'), 'utf8'), 'kept');
});

test('a name that was read as a hop, and a hop that was read as a name', async (t) => {
  const { url } = await served(t, 1000);
  const first = new URL(url).host;
  for (const name of ['@odd:80', '@odd:80/']) {
    const run = await runInProcess(['get', ...PINNED, `${first}/${name}`]);
    assertOneLine(run, 2, /"@odd:80" was read as a hop; .* write "%40odd:80"/);
  }
  for (const command of ['get', 'ls']) {
    const run = await runInProcess([command, ...PINNED, `${first}/localhost:11000/a.txt`]);
    assertOneLine(run, 22, /there is no file .*; did you mean "\/@localhost:11000\/"\?/);
  }
});

for (const wire of WIRES)
  test(`a folder without -r, with its slash and without, ${wire.name}`, async (t) => {
    const root = tempFolder(t);
    mkdirSync(join(root, 'folder'));
    writeFileSync(join(root, 'folder', 'file'), 'text');
    const { route } = await testChain(t, 2, { root });
    const cwd = tempFolder(t);
    for (const path of ['/folder', '/folder/'])
      for (const more of [[], ['--no-verify']]) {
        const where = formatLocation({ route, path });
        const run = await runInProcess(['get', ...wire.args, ...more, where, '-o', 'x'], { cwd });
        assertOneLine(run, 22, /hop 2 \(\S+\) reports that this is a folder; use -r to fetch it$/m);
        assert.deepEqual(readdirSync(cwd), []);
      }
  });
