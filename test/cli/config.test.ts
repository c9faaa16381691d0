import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { formatHop } from 'viaduct';
import { testChain } from '../support/nodes.js';
import { IDENTITY } from '../support/identity.js';
import { runInProcess } from '../support/program.js';
import { tempFolder } from '../support/temp.js';
import { assertOneLine } from './assertions.js';
import { Transcript } from './transcript.js';

/** Two nodes, `bastion:12000` and `gw:9000` in the transcript. */
async function lab(t: TestContext): Promise<Transcript> {
  const root = tempFolder(t);
  mkdirSync(join(root, 'dir'));
  writeFileSync(join(root, 'dir', 'file'), 'hello\n');
  const { route } = await testChain(t, 2, { root });
  const [bastion, gw] = route.map(formatHop);
  assert.ok(bastion !== undefined && gw !== undefined);
  return new Transcript(t, [
    [bastion, 'bastion:12000'],
    [gw, 'gw:9000'],
    [IDENTITY.pin, 'sha256//PIN'],
  ]);
}

test('named routes: transcripts/config-routes.txt', async (t) => {
  const transcript = await lab(t);
  transcript.config(`[defaults]
pin = ["sha256//PIN"]

[route.lab]
via = ["bastion:12000", "gw:9000"]

[route.first]
via = ["http://bastion:12000"]
`);
  for (const line of [
    'viaduct ls lab:',
    'viaduct ls lab:/dir',
    'viaduct get lab:dir/file',
    'viaduct cat lab:dir/file lab:dir/f*',
    'viaduct ls first:@gw:9000/dir/',
    'viaduct get -J first gw:9000/dir/file -o -',
    'viaduct share dir --route lab:x',
    'viaduct get nolab:dir/file',
    'viaduct ls -J nolab gw:9000/',
    'viaduct ls lab:80/x --connect-timeout never',
  ])
    await transcript.run(line);
  transcript.equals('config-routes');
});

test('the environment and what comes before what: transcripts/config-environment.txt', async (t) => {
  const transcript = new Transcript(t);
  for (const line of [
    'viaduct config',
    'VIADUCT_GET_RETRY=3 VIADUCT_GET_JSON=1 VIADUCT_GET_VERIFY=0 VIADUCT_GET_TIMEOUT= viaduct config',
    'VIADUCT_GET_RETRY=many viaduct get h1:1/x',
    'VIADUCT_GET_JSON=yes viaduct get h1:1/x',
    'VIADUCT_GET_PIN=nothing viaduct get h1:1/x',
    'VIADUCT_LS_PIN=sha256//AAAA viaduct get h1:1/x --retry many',
    'VIADUCT_GET_RETRIES=3 viaduct config',
    'VIADUCT_GET_QUIET=1 VIADUCT_GET_VERBOSE=1 viaduct get h1:1/x',
    'VIADUCT_GET_QUIET=0 VIADUCT_GET_VERBOSE=1 viaduct config',
  ])
    await transcript.run(line);
  transcript.config(`[defaults]
timeout = 20
connect-timeout = 5
proxy = "http://ann:secret@proxy.example:3128"

[get]
timeout = 30
retry = 2
accept-new = true
allow = []
`);
  await transcript.run('viaduct config get');
  transcript.config(`[defaults]
timeout = 20
connect-timeout = 5
proxy = "http://ann:secret@proxy.example:3128"

[get]
timeout = 30
retry = 2
json = true
no-verify = true
`);
  await transcript.run('viaduct config get');
  transcript.config(`[defaults]
timeout = 20
connect-timeout = 5
proxy = "http://ann:secret@proxy.example:3128"

[get]
json = true
timeout = 30
retry = 2
verify = false
accept-new = true

[server]
allow-hop = ["*.lab.example", "10.0.0.0/8:9000"]
`);
  for (const line of [
    'VIADUCT_GET_RETRY=3 viaduct config get --no-json --verify --ca system -o x lab:y',
    'VIADUCT_PARKED_STATE=/srv/state viaduct config parked',
    'VIADUCT_PARKED_STATE=/srv/state viaduct config --json parked --json',
    'viaduct config ls',
  ])
    await transcript.run(line);
  transcript.equals('config-environment');
});

test('errors in the file: transcripts/config-errors.txt', async (t) => {
  const transcript = new Transcript(t);
  for (const text of [
    '[get]\nretries = 3\n',
    '[gett]\nretry = 3\n',
    'retry = 3\n',
    '[defaults]\nretry-tme = 3\n',
    '[get]\n[get.more]\nx = 1\n',
    '[get]\nretry = "many"\n',
    '[get]\nretry = true\n',
    '[get]\nretry = [1, 2]\n',
    '[get]\njson = "yes"\n',
    '[get]\nlimit-rate = 1979-05-27\n',
    '[get]\nquiet = true\nverbose = true\n',
    '[get]\npin = ["sha256//x"]\n',
    '[get]\nretry = 3\nretry = 4\n',
    '[get]\nretry = \n',
    '[get\n',
    '\n[route.lab]\nvia = "h1:1"\n',
    '[route.lab]\nvia = ["h1:1", "h2"]\n',
    '[route.lab]\nvia = ["h1:1/dir", "h2:2"]\n',
    '[route.lab]\nvia = ["h1:1/.viaduct/share/AWsL6W4BAkPGs7bbY98uedVSXOLPbeI/pub/"]\n',
    '[route.lab]\nvia = []\n',
    '[route.lab]\nvai = ["h1:1"]\n',
    '[route.lab]\n\n[route.other]\nvia = ["h1:1"]\n',
    '[route]\nlab = "h1:1"\n',
    '[route]\nvia = ["h1:1"]\n',
    '[route.https]\nvia = ["h1:1"]\n',
    '[route.a.b]\nvia = ["h1:1"]\n',
    'route = "h1:1"\n',
    'get = 1\n',
    '[[get]]\nretry = 1\n',
    '[route."a b"]\nvia = ["h1:1"]\n',
  ]) {
    transcript.config(text);
    await transcript.run('viaduct get lab:x');
  }
  transcript.equals('config-errors');
});

const shown = (env: Record<string, string>, ...args: readonly string[]) =>
  runInProcess(['config', 'server', ...args], { env });

test('a switch that is taken back on the command line excludes nothing', async () => {
  const env = { VIADUCT_GET_PIN: IDENTITY.pin, VIADUCT_GET_ACCEPT_NEW: '0' };
  const run = await runInProcess(['config', 'get', '--no-accept-new'], { env });
  assert.match(run.stdout, /^pin = \["sha256.*"\] {2}# VIADUCT_GET_PIN$/m);
  assert.match(run.stdout, /^accept-new = false {2}# command line$/m);
});

test('a repeatable option has several values from each source; a stronger one replaces all', async () => {
  const variable = { VIADUCT_SERVER_SHARE: 'a=/srv/a\nb=/srv/b' };
  assert.match(
    (await shown(variable)).stdout,
    /^share = \["a=\/srv\/a", "b=\/srv\/b"\] {2}# VIADUCT_SERVER_SHARE$/m,
  );
  const typed = await shown(variable, '--share', 'c=/c', '--share', 'd=/d');
  assert.match(typed.stdout, /^share = \["c=\/c", "d=\/d"\] {2}# command line$/m);
});

const CONFIG = '[route.lab]\nvia = ["127.0.0.1:1"]\n';

/** A file in its folder, and a command that reads it. */
function configFolder(t: TestContext) {
  const home = tempFolder(t);
  mkdirSync(join(home, 'viaduct'));
  const path = join(home, 'viaduct', 'config.toml');
  writeFileSync(path, CONFIG);
  chmodSync(path, 0o644);
  return { path, config: () => runInProcess(['config'], { env: { XDG_CONFIG_HOME: home } }) };
}

test('a file that other users may write to is refused, as ssh does', async (t) => {
  const { path, config } = configFolder(t);
  assert.equal((await config()).code, 0);
  for (const mode of [0o664, 0o646, 0o666]) {
    chmodSync(path, mode);
    assertOneLine(
      await config(),
      26,
      /cannot read .*config\.toml: it is writable by others; run: chmod go-w /,
    );
  }
});

test('a link to the file is followed; its target is what counts', async (t) => {
  const { path, config } = configFolder(t);
  renameSync(path, `${path}.real`);
  symlinkSync('config.toml.real', path);
  assert.match((await config()).stdout, /\[route\.lab\]/);
  chmodSync(`${path}.real`, 0o666);
  assertOneLine(await config(), 26, /it is writable by others/);
});

test('a file of another user is refused', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('only root can give a file away');
  const { path, config } = configFolder(t);
  chownSync(path, 1, 1);
  assertOneLine(await config(), 26, /config\.toml: it belongs to another user/);
});

test('a file that is none, or no text, is an error', async (t) => {
  const { path, config } = configFolder(t);
  writeFileSync(path, Buffer.from([0x61, 0xff, 0x0a]));
  assertOneLine(await config(), 26, /config\.toml: it is not UTF-8 text/);
  rmSync(path);
  mkdirSync(path);
  assertOneLine(await config(), 26, /config\.toml: it is not a file/);
});

test('completion needs no configuration, so that a shell starts with a broken one', async (t) => {
  const { path, config } = configFolder(t);
  writeFileSync(path, 'broken');
  assert.equal((await config()).code, 2);
  const home = join(path, '../..');
  assert.equal((await runInProcess(['completion', 'bash'], { env: { XDG_CONFIG_HOME: home } })).code, 0);
});
