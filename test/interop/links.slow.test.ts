import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { formatHop } from 'viaduct';
import { loadIdentity } from '#src/identity/identity.js';
import { runPeer } from '../support/http-chain.js';
import { urlOf } from '../support/http.js';
import { treeOf } from '../support/odd-names.js';
import { havePeer } from '../support/peers.js';
import { NodeProcess, runViaduct } from '../support/processes.js';
import { runInProcess } from '../support/program.js';
import { randomFile, tempFolder } from '../support/temp.js';

// Links over two relays, with the programs that people have. Nothing that any of them writes has a token.

const SIZE = 3_000_000;

async function place(t: TestContext) {
  const [root, own, cwd, state] = [tempFolder(t), tempFolder(t), tempFolder(t), tempFolder(t)];
  mkdirSync(join(root, 'photos', '2024'), { recursive: true });
  mkdirSync(join(root, 'private'));
  writeFileSync(join(root, 'private', 'diary'), 'secret\n');
  writeFileSync(join(root, 'photos', 'p q.jpg'), 'a photo\n');
  writeFileSync(join(root, 'photos', '2024', 'n.jpg'), 'a newer one\n');
  const bytes = randomFile(join(root, 'photos'), 'big.bin', SIZE);
  const trace = ['--log-level', 'trace'];
  const start = (args: readonly string[]) => NodeProcess.start(t, { root, args: [...trace, ...args] });
  const nodes = await Promise.all([
    start([]),
    start([]),
    start(['--state', own, '--access', 'links']),
  ] as const);
  const [first, , origin] = nodes;
  const route = urlOf(
    nodes.map(({ hop }) => hop),
    '',
  );
  const { pin } = await loadIdentity(own, 'node');
  const url = async (path: string): Promise<string> => {
    const { stdout, code, stderr } = await runInProcess(
      ['share', path, '--root', root, '--route', route, '--state', own],
      { cwd },
    );
    assert.equal(code, 0, stderr);
    return stdout.trim();
  };
  const viaduct = (...args: readonly string[]) =>
    runViaduct(t, [...args, '--state', state, '--pin', pin], { cwd });
  const peer = (command: string, ...args: readonly string[]) => runPeer(t, cwd, command, args);
  return { root, own, cwd, state, nodes, first, origin, route, bytes, url, viaduct, peer };
}

const tokenOf = (url: string): string => url.split('/.viaduct/share/')[1]?.split('/')[0] ?? '';

/** All that was written in a folder. */
function textsIn(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.name}\n${readFileSync(join(entry.parentPath, entry.name), 'latin1')}`)
    .join('\n');
}

test('get, get -r, ls and trace with links', async (t) => {
  const { cwd, root, url, viaduct } = await place(t);
  const folder = await url('photos');
  assert.equal((await viaduct('get', '-q', '-r', folder)).code, 0);
  assert.deepEqual(treeOf(join(cwd, 'photos')), treeOf(join(root, 'photos')));
  assert.equal((await viaduct('ls', folder)).stdout, '2024/\nbig.bin\np q.jpg\n');
  assert.equal((await viaduct('ls', `${folder}2024`)).stdout, 'n.jpg\n');
  assert.equal((await viaduct('get', '-q', await url('photos/p q.jpg'))).code, 0);
  assert.equal(readFileSync(join(cwd, 'p q.jpg'), 'utf8'), 'a photo\n');
  assert.equal((await viaduct('trace', folder)).code, 0);
  const whole = await viaduct('get', '-r', await url('.'));
  assert.equal(whole.code, 2, whole.stderr);
  assert.match(whole.stderr, /the root folder of a host has no name; give one with -o/);
});

test('an interrupted get goes on with another link', async (t) => {
  const { cwd, bytes, url, viaduct } = await place(t);
  const half = SIZE / 2;
  const first = await url('photos/big.bin');
  assert.equal((await viaduct('get', '-q', first)).code, 0);
  const sidecar = { source: first.replace(/\/\.viaduct\/share\/[^/]+/, ''), size: SIZE };
  const head = await viaduct('get', '--json', '-o', 'again', first);
  const etag = /"etag":("(?:[^"\\]|\\.)*")/.exec(head.stdout)?.[1] ?? '""';
  writeFileSync(join(cwd, 'rest.part'), bytes.subarray(0, half), { mode: 0o600 });
  const text = `${JSON.stringify({ ...sidecar, etag: JSON.parse(etag) as string })}\n`;
  writeFileSync(join(cwd, 'rest.part.json'), text, { mode: 0o600 });
  const second = await url('photos');
  const run = await viaduct('get', '--json', '-o', 'rest', `${second}big.bin`);
  assert.equal(run.code, 0, run.stderr);
  assert.match(run.stdout, new RegExp(`"offset":${half}`));
  assert.ok(readFileSync(join(cwd, 'rest')).equals(bytes));
});

test('curl: a transfer that goes on, a redirect, and pages without a link upwards', async (t) => {
  if (!havePeer(t, 'curl')) return;
  const { cwd, bytes, url, peer } = await place(t);
  const folder = await url('photos');
  writeFileSync(join(cwd, 'big.bin'), bytes.subarray(0, 1_000_000));
  assert.equal((await peer('curl', '-sS', '-C', '-', '-O', `${folder}big.bin`)).code, 0);
  assert.ok(readFileSync(join(cwd, 'big.bin')).equals(bytes));
  const moved = await peer('curl', '-sS', '-o', '/dev/null', '-w', '%{redirect_url}', folder.slice(0, -1));
  assert.equal(moved.stdout, folder);
  const page = await peer('curl', '-sS', '-H', 'Accept: text/html', folder);
  assert.ok(!page.stdout.includes('../') && page.stdout.includes('href="./2024/"'), page.stdout);
  const inner = await peer('curl', '-sS', '-H', 'Accept: text/html', `${folder}2024/`);
  assert.ok(inner.stdout.includes('href="../"'));
});

test('wget -r of a shared folder', async (t) => {
  if (!havePeer(t, 'wget')) return;
  const { cwd, root, url, peer } = await place(t);
  // Two hops, .viaduct, share, the token and the name of the folder.
  const shape = ['-nH', '--cut-dirs=6', '--restrict-file-names=nocontrol', '-P', 'wget'];
  const args = ['-q', '-r', '-np', '-e', 'robots=off', '-R', 'index.html*', ...shape];
  const { code, stderr } = await peer('wget', ...args, await url('photos'));
  assert.equal(code, 0, stderr);
  assert.deepEqual(treeOf(join(cwd, 'wget')), treeOf(join(root, 'photos')));
});

test('rclone copy of a shared folder', async (t) => {
  if (!havePeer(t, 'rclone')) return;
  const { cwd, root, url, peer } = await place(t);
  const { code, stderr } = await peer(
    'rclone',
    'copy',
    '--http-url',
    await url('photos'),
    ':http:',
    'rclone',
  );
  assert.equal(code, 0, stderr);
  assert.deepEqual(treeOf(join(cwd, 'rclone')), treeOf(join(root, 'photos')));
});

test('revoke-all holds at once, and the log has it', async (t) => {
  const { own, origin, url, viaduct } = await place(t);
  const link = await url('photos/p q.jpg');
  const get = () => viaduct('get', '-q', '-o', '-', link);
  assert.equal((await get()).stdout, 'a photo\n');
  assert.equal((await runInProcess(['share', '--revoke-all', '--state', own])).code, 0);
  const refused = await get();
  assert.equal(refused.code, 67);
  assert.match(refused.stderr, /this link opens nothing here: it is damaged, for another path, or its owner/);
  await origin.until(({ log }) => log.find(({ msg }) => msg === 'all earlier links are revoked'));
  const again = await viaduct('get', '-q', '-o', '-', await url('photos/p q.jpg'));
  assert.equal(again.stdout, 'a photo\n');
});

test('nothing that a run writes has the token', async (t) => {
  const { cwd, state, nodes, first, origin, url, viaduct, peer } = await place(t);
  const folder = await url('photos');
  const file = await url('photos/p q.jpg');
  const tokens = [tokenOf(folder), tokenOf(file)];
  const spelled = folder.replace('.viaduct', '%2eviaduct');
  const direct = folder.replace(/^.*?(?=\/\.viaduct)/, `http://${formatHop(origin.hop)}`);
  const texts: string[] = [];
  const urls = [
    folder,
    file,
    `${folder}missing`,
    `${folder}../private/diary`,
    spelled,
    `${file}/x`,
    direct,
    `${folder}%2f`,
  ];
  for (const where of urls) {
    for (const accept of ['text/html', 'text/plain', 'application/json'])
      texts.push((await peer('curl', '-sSi', '--path-as-is', '-H', `Accept: ${accept}`, where)).stdout);
    texts.push((await peer('curl', '-sSI', '--path-as-is', where)).stdout);
  }
  for (const args of [
    ['get', '--json', '-r', folder],
    ['get', '-r', folder, '-o', 'other'],
    ['get', '--json', `${folder}missing`],
    ['get', '--json', '--plain', `${folder}big.bin`],
    ['get', folder],
    ['get', `${folder}?x`],
    ['get', `${folder}%`],
    ['get', '--json', '--no-such-option', folder],
    ['ls', '--json', folder],
    ['ls', `${folder}missing`],
    ['trace', '--json', folder],
    ['trace', `${folder}x`],
  ]) {
    const plain = args.includes('--plain');
    const { stdout, stderr } = plain ? await runViaduct(t, args, { cwd }) : await viaduct(...args);
    texts.push(stdout, stderr);
  }
  writeFileSync(join(cwd, 'input.txt'), `.viaduct/share/${tokens[0]}\n127.0.0.1 ${first.hop.port}\n`);
  const classic = await runInProcess(['client', 'input.txt'], { cwd });
  texts.push(classic.stdout, classic.stderr);
  writeFileSync(join(cwd, 'input.txt'), '');
  const log = await origin.until((node) => node.log.some(({ msg }) => msg === 'completed') && node.log);
  const lines = log.filter(({ msg, link }) => msg === 'completed' && link === true);
  assert.ok(lines.some(({ name }) => name === 'photos/p q.jpg'));
  const relayed = nodes[0].log.filter(({ role }) => role === 'relay').map(({ name }) => name);
  assert.ok(relayed.includes('.viaduct/share/…/photos/'), String(relayed));
  for (const node of nodes) texts.push(node.stdout, node.stderr);
  texts.push(textsIn(cwd), textsIn(state));
  for (const token of tokens)
    for (const text of texts) {
      const at = text.indexOf(token);
      assert.equal(at, -1, text.slice(Math.max(0, at - 300), at + 100));
    }
});
