import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { AUTHORIZED_AGE_MS } from '#src/node/access/readers-for.js';
import { type Route, formatHop, formatInput } from 'viaduct';
import { loadIdentity } from '#src/identity/identity.js';
import { faultProxy } from '../support/fault-proxy.js';
import { runPeer } from '../support/http-chain.js';
import { havePeer } from '../support/peers.js';
import { NodeProcess, runViaduct } from '../support/processes.js';
import { runInProcess } from '../support/program.js';
import { randomFile, tempFolder } from '../support/temp.js';
import { assertOneLine } from './assertions.js';

// The program as its users have it: an owner who authorizes, a client who reads, a relay between them.

async function place(t: TestContext, args: readonly string[] = []) {
  const [root, own, state] = [tempFolder(t), tempFolder(t), tempFolder(t)];
  mkdirSync(join(root, 'photos', '2024'), { recursive: true });
  writeFileSync(join(root, 'a.txt'), 'hi\n');
  writeFileSync(join(root, 'photos', 'p.jpg'), 'a photo\n');
  writeFileSync(join(root, 'photos', '2024', 'n.jpg'), 'a newer one\n');
  const relay = await NodeProcess.start(t, { root, args: ['--state', tempFolder(t)] });
  const origin = await NodeProcess.start(t, { root, args: ['--state', own, '--access', 'keys', ...args] });
  const { pin } = await loadIdentity(own, 'node');
  const { pin: clientPin } = await loadIdentity(state, 'client');
  const known = ['--state', state, '--pin', pin];
  const authorize = async (...more: readonly string[]) => {
    const run = await runInProcess(['authorize', ...more, '--state', own]);
    // The node may be so late to notice it.
    await delay(AUTHORIZED_AGE_MS);
    return run;
  };
  return {
    root,
    own,
    state,
    relay,
    origin,
    known,
    clientPin,
    authorize,
    where: whereOf([relay.hop, origin.hop]),
  };
}

const whereOf = (route: Route): string => route.map((hop) => formatHop(hop)).join('/@');

test('a client that is refused is told its pin, and reads once the owner has authorized it', async (t) => {
  const { where, known, clientPin, origin, authorize } = await place(t);
  const cwd = tempFolder(t);
  const get = () => runViaduct(t, ['get', '-q', '-o', '-', `${where}/a.txt`, ...known], { cwd });
  const refused = await get();
  assertOneLine(
    refused,
    67,
    /^viaduct: hop 2 \(\S+\): the key of this client is not authorized: send its pin /,
  );
  assert.ok(
    refused.stderr.endsWith(` to the owner, who runs viaduct authorize ${clientPin}\n`),
    refused.stderr,
  );
  const line = await origin.failure();
  assert.deepEqual(
    [line['code'], line['clientPin'], line['client']],
    ['ACCESS_DENIED', clientPin, undefined],
  );
  await authorize(clientPin, '--name', 'alice');
  assert.deepEqual(await get(), { code: 0, stdout: 'hi\n', stderr: '' });
  const done = await origin.until(({ log }) =>
    log.find(({ msg, name }) => msg === 'completed' && name === 'a.txt'),
  );
  assert.deepEqual([done['clientPin'], done['client']], [clientPin, 'alice']);
  await authorize('--remove', 'alice');
  assert.equal((await get()).code, 67);
});

test('get -r, ls and trace with a key that has a path', async (t) => {
  const { where, known, clientPin, authorize } = await place(t);
  await authorize(clientPin, '--name', 'alice', '--path', '/photos');
  const cwd = tempFolder(t);
  const run = (...args: readonly string[]) => runInProcess([...args, ...known], { cwd });
  assert.equal((await run('get', '-q', '-r', `${where}/photos/`)).code, 0);
  assert.equal(readFileSync(join(cwd, 'photos', '2024', 'n.jpg'), 'utf8'), 'a newer one\n');
  assert.equal((await run('ls', `${where}/photos/`)).stdout, '2024/\np.jpg\n');
  for (const command of [['get', '-q', '-r', '-o', 'all'], ['ls']])
    assertOneLine(await run(...command, `${where}/`), 67, /authorized for other paths only/);
  assert.equal((await runInProcess(['trace', where, ...known])).code, 0);
});

test('a transfer that breaks is resumed with the key', async (t) => {
  const { root, origin, known, clientPin, authorize } = await place(t);
  await authorize(clientPin, '--name', 'alice');
  const bytes = randomFile(root, 'big', 3_000_000);
  const proxy = await faultProxy(t, origin.hop, (connection) =>
    connection === 0 ? { kind: 'reset', at: 1_000_000 } : { kind: 'split', at: 0 },
  );
  const cwd = tempFolder(t);
  const run = await runViaduct(t, ['get', '--json', `${formatHop(proxy.hop)}/big`, ...known], { cwd });
  assert.equal(run.code, 0, run.stderr);
  assert.ok(run.stdout.includes('"retry'), run.stdout);
  assert.ok(readFileSync(join(cwd, 'big')).equals(bytes));
});

test('curl with the key of a client, and what others get', async (t) => {
  if (!havePeer(t, 'curl')) return;
  const { origin, state, clientPin, authorize } = await place(t);
  await authorize(clientPin);
  const url = `https://${formatHop(origin.hop)}/a.txt`;
  const curl = (...args: readonly string[]) => runPeer(t, tempFolder(t), 'curl', ['-sk', ...args]);
  // The node may have looked at its list less than a tenth of a second ago.
  const withKey = async () => (await curl('--cert', join(state, 'client.pem'), url)).stdout;
  let served = await withKey();
  while (served.includes('not authorized')) served = await withKey();
  assert.equal(served, 'hi\n');
  assert.match((await curl(url)).stdout, /"code":"ACCESS_DENIED"/);
  assert.match(
    (await curl(url.replace('https', 'http'))).stdout,
    /"detail":"hop 1: reading from this node needs an authorized key, in TLS: /,
  );
  assert.equal((await curl('-o', '/dev/null', '-w', '%{http_code}', url)).stdout, '403');
});

test('openssl resumes a session of a client that was asked for its key', async (t) => {
  if (!havePeer(t, 'openssl')) return;
  const { origin, state, clientPin, authorize } = await place(t);
  await authorize(clientPin, '--name', 'alice');
  const cwd = tempFolder(t);
  const script = `request() { printf 'GET /a.txt HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n'; }
    own="-cert ${join(state, 'client.pem')} -key ${join(state, 'client.pem')}"
    request | openssl s_client -connect ${formatHop(origin.hop)} $own -sess_out session -ign_eof
    request | openssl s_client -connect ${formatHop(origin.hop)} -sess_in session -ign_eof`;
  const { stdout } = await runPeer(t, cwd, 'sh', ['-c', script]);
  assert.match(stdout, /^Reused, TLSv1\.3/m);
  assert.equal(stdout.match(/^hi$/gm)?.length, 2);
});

test('the classic client is refused, and the log has why', async (t) => {
  const { origin } = await place(t);
  const cwd = tempFolder(t);
  writeFileSync(join(cwd, 'input.txt'), formatInput({ name: 'a.txt', route: [origin.hop] }));
  const { code, stderr } = await runInProcess(['client', 'input.txt'], { cwd });
  assert.equal(code, 18);
  assert.match(stderr, /lets only clients with a key read \(--access keys; use get\)/);
  const line = await origin.failure();
  assert.deepEqual([line['code'], line['name']], ['ACCESS_DENIED', 'a.txt']);
});

const accessOf = ({ log }: NodeProcess): unknown => log.find(({ msg }) => msg === 'listening')?.['access'];

test('the log begins with who may read', async (t) => {
  const { origin, relay, own } = await place(t);
  assert.equal(accessOf(relay), 'public: whoever can connect may read everything under the root');
  assert.match(String(accessOf(origin)), /^keys: only clients whose key is authorized may read/);
  assert.equal(origin.log[0]?.msg, 'no key may read: none is authorized; run: viaduct authorize PIN');
  writeFileSync(join(own, 'authorized_keys'), 'garbage\n', { mode: 0o600 });
  const again = await NodeProcess.start(t, { args: ['--state', own, '--access', 'keys'] });
  assert.match(again.log[0]?.msg ?? '', /^no key may read: cannot read \S+authorized_keys: line 1 is not /);
});

test('--authorized names another file, which is never served, and has no effect without --access keys', async (t) => {
  const { root, known, clientPin, origin } = await place(t);
  const file = join(root, 'readers');
  await runInProcess(['authorize', clientPin, '--authorized', file]);
  const state = tempFolder(t);
  const node = await NodeProcess.start(t, {
    root,
    args: ['--state', state, '--access', 'keys', '--authorized', file],
  });
  const { pin } = await loadIdentity(state, 'node');
  const get = (path: string) =>
    runInProcess(['get', '-q', '-o', '-', `${formatHop(node.hop)}${path}`, ...known, '--pin', pin]);
  assert.equal((await get('/a.txt')).stdout, 'hi\n');
  assert.match((await get('/readers')).stderr, /never served/);
  assert.equal((await runInProcess(['get', `${formatHop(origin.hop)}/a.txt`, ...known])).code, 67);
  const wrong = await runInProcess(['server', '0', '--authorized', file, '--state', state]);
  assertOneLine(
    wrong,
    2,
    /: --authorized needs --access keys, or a share with access=keys \(see viaduct server --help\)\n/,
  );
});
