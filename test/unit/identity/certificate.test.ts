import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type TLSSocket, connect, createServer } from 'node:tls';
import { makeIdentity } from '#src/identity/certificate.js';
import { pinOfCertificate } from '#src/identity/pin.js';
import { havePeer } from '../../support/peers.js';
import { tempFolder } from '../../support/temp.js';

const openssl = (...args: readonly string[]): string =>
  execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

const pinOfPeer = (of: TLSSocket): string => pinOfCertificate(of.getPeerCertificate().raw);

test('a certificate: its members, its key, its signature', () => {
  const { key, cert } = makeIdentity();
  const certificate = new X509Certificate(cert);
  const privateKey = createPrivateKey(key);
  assert.equal(certificate.subject, 'CN=viaduct');
  assert.equal(certificate.issuer, 'CN=viaduct');
  assert.equal(certificate.validFrom, 'Jan  1 00:00:00 2020 GMT');
  assert.equal(certificate.validTo, 'Dec 31 23:59:59 2049 GMT');
  assert.ok(certificate.checkPrivateKey(privateKey));
  assert.ok(certificate.verify(certificate.publicKey));
  assert.equal(privateKey.asymmetricKeyType, 'ec');
  assert.equal(privateKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
});

test('each certificate has a key and a positive serial number of its own', () => {
  const made = Array.from({ length: 50 }, () => new X509Certificate(makeIdentity().cert));
  assert.equal(new Set(made.map(({ serialNumber }) => serialNumber)).size, made.length);
  assert.equal(new Set(made.map(pinOfCertificate)).size, made.length);
  for (const { serialNumber } of made) assert.match(serialNumber, /^[4-7][0-9A-F]{31}$/);
});

test('openssl reads and verifies it, and encodes it the same way', (t) => {
  if (!havePeer(t, 'openssl')) return;
  const path = join(tempFolder(t), 'cert.pem');
  const { cert } = makeIdentity();
  writeFileSync(path, cert);
  assert.equal(openssl('verify', '-x509_strict', '-CAfile', path, path), `${path}: OK\n`);
  const text = openssl('x509', '-in', path, '-noout', '-text');
  assert.match(text, /Version: 3 \(0x2\)/);
  assert.match(text, /Signature Algorithm: ecdsa-with-SHA256/);
  assert.equal(openssl('x509', '-in', path), cert);
  openssl('x509', '-in', path, '-noout', '-checkend', '0');
});

test('a TLS 1.3 handshake, in which each side sees the pin of the other', async (t) => {
  const [server, client] = [makeIdentity(), makeIdentity()];
  const listening = createServer({
    ...server,
    minVersion: 'TLSv1.3',
    requestCert: true,
    rejectUnauthorized: false,
  });
  t.after(() => listening.close());
  const accepted = once(listening, 'secureConnection') as Promise<[TLSSocket]>;
  listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const address = listening.address();
  assert.ok(address !== null && typeof address === 'object');
  // The own certificate is its authority too, so that the whole check passes but for the host name.
  const socket = connect({
    ...client,
    host: '127.0.0.1',
    port: address.port,
    minVersion: 'TLSv1.3',
    ca: server.cert,
    checkServerIdentity: () => undefined,
  });
  t.after(() => socket.destroy());
  await once(socket, 'secureConnect');
  const [peer] = await accepted;
  t.after(() => peer.destroy());
  assert.ok(socket.authorized);
  assert.equal(socket.getProtocol(), 'TLSv1.3');
  assert.equal(pinOfPeer(socket), pinOfCertificate(Buffer.from(server.cert)));
  assert.equal(pinOfPeer(peer), pinOfCertificate(Buffer.from(client.cert)));
});
