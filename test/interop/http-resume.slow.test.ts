import assert from 'node:assert/strict';
import { type Socket, connect } from 'node:net';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { HostHop } from 'viaduct';
import { urlOf } from '../support/http.js';
import { type HttpChain, httpChain, runPeer, startPeer } from '../support/http-chain.js';
import { settles } from '../support/leaks.js';
import { havePeer } from '../support/peers.js';
import { NodeProcess } from '../support/processes.js';
import { rawServer } from '../support/raw.js';
import { randomFile, sha256, tempFolder } from '../support/temp.js';
import { MIB } from './routes.js';

/** More than the kernels' buffers of all links take, so that a cut comes before the end. */
const SIZE = 48 * MIB;

interface Cut {
  readonly bytes: Buffer;
  readonly folder: string;
  /** How much has come before the cut. */
  readonly received: number;
  /** The same file, over the relays that are left and a new one. */
  readonly url: string;
  readonly stderr: string;
  readonly code: number | NodeJS.Signals;
}

/** Starts a slow download over 3 relays and kills the second one while bytes flow. */
async function cutDownload(t: TestContext, command: string, args: readonly string[]): Promise<Cut> {
  const root = tempFolder(t);
  const folder = tempFolder(t);
  const bytes = randomFile(root, 'file', SIZE);
  const chain = await httpChain(t, root);
  const client = startPeer(t, folder, command, [...args, chain.url('/file')]);
  const size = (): number => statSync(join(folder, 'file'), { throwIfNoEntry: false })?.size ?? 0;
  await settles(
    size,
    (received) => received > 100_000,
    (received) => `${received} bytes came`,
  );
  chain.nodes[1]?.process.kill('SIGKILL');
  const code = await client.ended;
  const received = size();
  assert.ok(received < SIZE, 'the cut came too late');
  return { bytes, folder, received, url: await detour(t, chain, root), stderr: client.stderr, code };
}

async function detour(t: TestContext, { nodes }: HttpChain, root: string): Promise<string> {
  const other = await NodeProcess.start(t, { root });
  const hops = nodes.map((node, index) => (index === 1 ? other.hop : node.hop));
  return urlOf(hops, '/file');
}

test('curl -C - after a relay was killed', async (t) => {
  if (!havePeer(t, 'curl')) return;
  const args = ['-sS', '--limit-rate', '4M', '-O'];
  const { bytes, folder, received, url, stderr, code } = await cutDownload(t, 'curl', args);
  assert.ok(code === 56 || code === 18, `curl said ${code}: ${stderr}`);
  const resumed = await runPeer(t, folder, 'curl', ['-sSv', '-C', '-', '-O', url]);
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.ok(resumed.stderr.includes(`> Range: bytes=${received}-\r\n`), resumed.stderr);
  assert.ok(resumed.stderr.includes(`< Content-Range: bytes ${received}-${SIZE - 1}/${SIZE}\r\n`));
  assert.equal(sha256(readFileSync(join(folder, 'file'))), sha256(bytes));

  const again = await runPeer(t, folder, 'curl', ['-sS', '-C', '-', '-O', '-w', '%{http_code}', url]);
  assert.equal(again.stdout, '416', 'nothing is left to fetch');
  assert.equal(sha256(readFileSync(join(folder, 'file'))), sha256(bytes));
});

test('wget -c after a relay was killed', async (t) => {
  if (!havePeer(t, 'wget')) return;
  const args = ['-nv', '--tries=1', '--limit-rate=4m'];
  const { bytes, folder, received, url, stderr, code } = await cutDownload(t, 'wget', args);
  assert.equal(code, 4, stderr);
  const resumed = await runPeer(t, folder, 'wget', ['-S', '-c', url]);
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.ok(resumed.stderr.includes(`Content-Range: bytes ${received}-${SIZE - 1}/${SIZE}`), resumed.stderr);
  assert.equal(sha256(readFileSync(join(folder, 'file'))), sha256(bytes));

  const again = await runPeer(t, folder, 'wget', ['-c', url]);
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stderr, /already fully retrieved/);
});

/** Passes connections on, but resets the first one that has brought `bytes` to the client. */
async function cutOnce(
  t: TestContext,
  to: HostHop,
  bytes: number,
): Promise<{ hop: HostHop; readonly heads: string[] }> {
  const heads: string[] = [];
  let isCut = false;
  const { hop } = await rawServer(t, (client) => {
    const upstream: Socket = connect({ ...to, allowHalfOpen: true });
    t.after(() => upstream.destroy());
    upstream.on('error', () => client.destroy());
    client.once('data', (head: Buffer) => heads.push(head.toString('latin1')));
    client.once('close', () => upstream.destroy());
    client.pipe(upstream);
    let passed = 0;
    upstream.on('data', (chunk: Buffer) => {
      passed += chunk.length;
      if (isCut || passed < bytes) return;
      isCut = true;
      client.resetAndDestroy();
    });
    upstream.pipe(client);
  });
  return { hop, heads };
}

for (const [command, args] of [
  ['wget', ['-q', '--waitretry=0', '-c']],
  ['aria2c', ['-q', '--no-conf', '--file-allocation=none', '--retry-wait=0', '-x4', '-s4', '-k1M', '-c']],
] as const) {
  test(`${command} by itself goes on where a connection was reset in mid-body`, async (t) => {
    if (!havePeer(t, command)) return;
    const root = tempFolder(t);
    const folder = tempFolder(t);
    const bytes = randomFile(root, 'file', SIZE);
    const { nodes } = await httpChain(t, root);
    const [first, ...others] = nodes.map(({ hop }) => hop);
    assert.ok(first);
    const { hop, heads } = await cutOnce(t, first, 3 * MIB);
    const { code, stdout, stderr } = await runPeer(t, folder, command, [
      ...args,
      urlOf([hop, ...others], '/file'),
    ]);
    assert.equal(code, 0, stdout + stderr);
    assert.equal(sha256(readFileSync(join(folder, 'file'))), sha256(bytes));
    assert.match(heads.at(-1) ?? '', /^Range: bytes=[1-9]\d*-/m);
  });
}
