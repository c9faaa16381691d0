import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { formatHop } from 'viaduct';
import { whyNotTrusted } from '#src/files/ownership.js';
import { PINNED } from '../support/identity.js';
import { testChain } from '../support/nodes.js';
import { Child, PROGRAM } from '../support/processes.js';
import { runInProcess } from '../support/program.js';
import { tempFolder } from '../support/temp.js';
import { assertOneLine } from './assertions.js';

/** Two nodes as the route `lab`, and commands that have this route and more in their configuration. */
async function lab(t: TestContext) {
  const root = tempFolder(t);
  writeFileSync(join(root, 'file'), 'hello\n');
  writeFileSync(join(root, 'a@b:c'), 'odd\n');
  const { route } = await testChain(t, 2, { root });
  const hops = route.map(formatHop);
  const cwd = tempFolder(t);
  mkdirSync(join(cwd, 'viaduct'));
  const path = join(cwd, 'viaduct', 'config.toml');
  const configure = (more: string) =>
    writeFileSync(path, `[route.lab]\nvia = ${JSON.stringify(hops)}\n${more}`, { mode: 0o644 });
  configure('');
  const env = { XDG_CONFIG_HOME: cwd };
  const run = (...args: readonly string[]) => runInProcess(args, { cwd, env });
  return { cwd, env, configure, run, hops };
}

const OTHER_PIN = 'sha256//8mmoTGTOViK8lBm02ujirnCk28hwOuF7dxIP+2l4VNk=';

for (const [section, weak] of [
  ['defaults', 'accept-new = true'],
  ['get', `pin = ["${OTHER_PIN}"]`],
] as const)
  test(`--plain on the command line goes before ${weak} in the file`, async (t) => {
    const { configure, run } = await lab(t);
    configure(`[${section}]\n${weak}\n`);
    const { code, stdout, stderr } = await run('get', '--plain', '-o', '-', 'lab:file');
    assert.deepEqual([code, stdout], [0, 'hello\n'], stderr);
  });

test('plain in the file gives way to --pin, and both in one section are an error', async (t) => {
  const { configure, run } = await lab(t);
  configure('[defaults]\nplain = true\n');
  // Unencrypted, nothing would find out.
  assert.equal((await run('get', '--pin', OTHER_PIN, '-o', '-', 'lab:file')).code, 60);
  assert.equal((await run('get', ...PINNED, '-o', '-', 'lab:file')).stdout, 'hello\n');
  configure('[defaults]\nplain = true\naccept-new = true\n');
  assertOneLine(await run('ls', 'lab:'), 2, /with --plain no key is checked/);
});

test('recursive in the file gives way to -o - and --via, and -o - in it to -r', async (t) => {
  const { cwd, configure, run, hops } = await lab(t);
  configure('[get]\nrecursive = true\n');
  assert.equal((await run('get', ...PINNED, '-o', '-', 'lab:file')).stdout, 'hello\n');
  const [first = '', last = ''] = hops;
  const both = ['--via', first, '--via', first, `${last}/file`, '-o', 'x'];
  assert.equal((await run('get', ...PINNED, ...both)).code, 0);
  assertOneLine(await run('get', '-r', '-o', '-', 'lab:file'), 2, /-o - accepts no folders/);
  configure('[get]\noutput = "-"\n');
  assert.equal((await run('get', ...PINNED, '-r', 'lab:file')).code, 0);
  assert.ok(existsSync(join(cwd, 'file')));
});

test('a name with a colon behind a route is read behind a slash', async (t) => {
  const { run } = await lab(t);
  assert.equal((await run('cat', ...PINNED, 'lab:/a@b:c')).stdout, 'odd\n');
  assertOneLine(await run('cat', 'user:secret@h1:80/x'), 2, /"user:…@h1:80\/x": write host:port, without/);
});

test('a route without its colon is an error that says what to write', async (t) => {
  const { run } = await lab(t);
  assertOneLine(await run('ls', 'lab'), 2, /"lab": "lab" is a route; write "lab:"\n$/);
  assertOneLine(await run('get', 'lab/dir/x'), 2, /"lab\/dir\/x": "lab" is a route; write "lab:dir\/x"\n$/);
  assertOneLine(await run('ls', 'other/dir'), 2, /"other" has no port; write host:port\n$/);
});

test('a route with http:// and without a port has port 80 in -J too', async (t) => {
  const { configure, run } = await lab(t);
  configure('[route.web]\nvia = ["http://127.0.0.1"]\n');
  assertOneLine(await run('ls', '-J', 'web,~', 'h2:1/'), 2, /-J "127\.0\.0\.1:80,~"/);
});

test('a name of a route with a dot is printed as the file has it', async (t) => {
  const { configure, run } = await lab(t);
  configure('[route."a.b"]\nvia = ["h1:1"]\n');
  assert.match((await run('config')).stdout, /^\[route\."a\.b"\]$/m);
  assert.match((await run('config', '--json')).stdout, /"section":"route\.a\.b"/);
});

test('a variable with an empty list is an error that fits', async () => {
  const run = await runInProcess(['get', 'h1:1/x'], { env: { VIADUCT_GET_PIN: '\n' } });
  assertOneLine(run, 2, /^viaduct: VIADUCT_GET_PIN: expected a value \(/);
});

test('thousands of locations at a route need one read of the file', async (t) => {
  const { cwd, env } = await lab(t);
  // Two that would be saved as one are found after all routes were read, and before anything is fetched.
  const wheres = [...Array.from({ length: 1000 }, (_, index) => `lab:f${index}`), 'lab:f0'];
  const limited = ['-c', 'ulimit -n 100 && exec "$@"', 'sh', process.execPath, PROGRAM, 'get'];
  const child = new Child(t, '/bin/sh', [...limited, ...wheres], { cwd, env: { ...process.env, ...env } });
  assert.equal(await child.ended, 2);
  assert.match(child.stderr, /two locations would both be saved as f0/);
});

test('a file of root is trusted, unless others may write to it', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('only root can become another user');
  const path = join(tempFolder(t), 'config.toml');
  writeFileSync(path, '');
  for (const [mode, why] of [
    [0o644, undefined],
    [0o664, 'is writable by others'],
    [0o646, 'is writable by others'],
  ] as const) {
    const file = await open(path);
    await file.chmod(mode);
    process.seteuid?.(1);
    try {
      assert.equal(await whyNotTrusted(file), why);
    } finally {
      process.seteuid?.(0);
      await file.close();
    }
  }
});
