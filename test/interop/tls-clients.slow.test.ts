import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { formatHop } from 'viaduct';
import { makeIdentity } from '#src/identity/certificate.js';
import { pinOfCertificate } from '#src/identity/pin.js';
import { runPeer } from '../support/http-chain.js';
import { type TestNode, testNode } from '../support/nodes.js';
import { havePeer } from '../support/peers.js';
import { tempFolder } from '../support/temp.js';

const IDENTITY = makeIdentity();
const PIN = pinOfCertificate(Buffer.from(IDENTITY.cert));

async function nodeInTls(t: TestContext, options: { readonly tlsOnly?: boolean } = {}): Promise<TestNode> {
  const root = tempFolder(t);
  writeFileSync(join(root, 'a.txt'), 'hi\n');
  return testNode(t, { root, identity: IDENTITY, ...options });
}

test('sslscan finds TLS 1.3 only, its three suites, and no compression', async (t) => {
  if (!havePeer(t, 'sslscan')) return;
  const node = await nodeInTls(t);
  const { stdout } = await runPeer(t, tempFolder(t), 'sslscan', ['--xml=-', formatHop(node.hop)]);
  const protocols = [...stdout.matchAll(/<protocol type="\w+" version="([\d.]+)" enabled="(\d)"/g)];
  assert.ok(protocols.length >= 6, stdout);
  const enabled = protocols.filter(([, , on]) => on === '1').map(([, version]) => version);
  assert.deepEqual(enabled, ['1.3']);
  const suites = [...stdout.matchAll(/<cipher status="(\w+)"[^>]* cipher="(\w+)"/g)];
  assert.deepEqual(
    suites.map(([, status, suite]) => [status, suite]),
    [
      ['preferred', 'TLS_AES_128_GCM_SHA256'],
      ['accepted', 'TLS_AES_256_GCM_SHA384'],
      ['accepted', 'TLS_CHACHA20_POLY1305_SHA256'],
    ],
  );
  assert.doesNotMatch(stdout, /<compression supported="1"/);
  assert.match(stdout, /<renegotiation supported="0"/);
});

test('openssl s_client: TLS 1.3 with ALPN http/1.1; older versions get an alert', async (t) => {
  if (!havePeer(t, 'openssl')) return;
  const node = await nodeInTls(t);
  const connect = ['s_client', '-connect', formatHop(node.hop), '-alpn', 'h2,http/1.1'];
  const run = (...more: readonly string[]) => runPeer(t, tempFolder(t), 'openssl', [...connect, ...more]);
  const { stdout } = await run('-tls1_3');
  assert.match(stdout, /^ALPN protocol: http\/1\.1$/m);
  assert.match(stdout, /^New, TLSv1\.3, Cipher is TLS_AES_128_GCM_SHA256$/m);
  assert.match(stdout, /^Compression: NONE$/m);
  const old = await run('-tls1_2');
  assert.match(old.stderr, /alert protocol version/);
});

for (const [what, pin, code] of [
  ['the right pin', PIN, 0],
  ['a wrong pin', `sha256//${Buffer.alloc(32).toString('base64')}`, 90],
] as const) {
  test(`curl with https:// to the first hop, and ${what}`, async (t) => {
    if (!havePeer(t, 'curl')) return;
    const [first, last] = [await nodeInTls(t), await nodeInTls(t)];
    const url = `https://${formatHop(first.hop)}/@${formatHop(last.hop)}/a.txt`;
    const run = await runPeer(t, tempFolder(t), 'curl', ['-sSk', '--pinnedpubkey', pin, url]);
    assert.deepEqual([run.code, run.stdout], [code, code === 0 ? 'hi\n' : ''], run.stderr);
    assert.equal(last.events.length > 0, code === 0, 'nothing was asked of a host with another key');
  });
}

test('a node with --tls-only refuses what is not in TLS, at the first place and at the last', async (t) => {
  if (!havePeer(t, 'curl')) return;
  const [open, strict] = [await nodeInTls(t), await nodeInTls(t, { tlsOnly: true })];
  const curl = (url: string) => runPeer(t, tempFolder(t), 'curl', ['-sSk', url]);
  const direct = formatHop(strict.hop);
  const plain = await curl(`http://${direct}/a.txt`);
  assert.match(plain.stdout, /serves only in TLS/);
  const relayed = await curl(`http://${formatHop(open.hop)}/@${direct}/a.txt`);
  assert.match(relayed.stdout, /serves only in TLS/);
  const secure = await curl(`https://${direct}/a.txt`);
  assert.equal(secure.stdout, 'hi\n');
});
