import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { createServer } from 'node:tls';
import * as fc from 'fast-check';
import { makeIdentity } from '#src/identity/certificate.js';
import { pinOfCertificate } from '#src/identity/pin.js';
import { parsePin } from '#src/route/pin.js';
import { havePeer } from '../../support/peers.js';
import { Child } from '../../support/processes.js';

test('the pin is the one that openssl and shell tools compute', (t) => {
  if (!havePeer(t, 'openssl')) return;
  const { cert } = makeIdentity();
  const spki = execFileSync('openssl', ['x509', '-pubkey', '-noout'], { input: cert });
  const der = execFileSync('openssl', ['pkey', '-pubin', '-outform', 'der'], { input: spki });
  const digest = execFileSync('openssl', ['dgst', '-sha256', '-binary'], { input: der });
  assert.equal(pinOfCertificate(Buffer.from(cert)), `sha256//${digest.toString('base64')}`);
});

test('curl --pinnedpubkey accepts the pin, and no other one', async (t) => {
  if (!havePeer(t, 'curl')) return;
  const identity = makeIdentity();
  const server = createServer({ ...identity, minVersion: 'TLSv1.3' }, (socket) =>
    socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi'),
  );
  server.on('tlsClientError', () => {});
  t.after(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const url = `https://127.0.0.1:${address.port}/`;
  const fetchWith = async (pin: string) => {
    const curl = new Child(t, 'curl', ['-qsk', '--noproxy', '*', '--pinnedpubkey', pin, url]);
    return [await curl.ended, curl.stdout];
  };
  assert.deepEqual(await fetchWith(pinOfCertificate(Buffer.from(identity.cert))), [0, 'hi']);
  assert.deepEqual(await fetchWith(pinOfCertificate(Buffer.from(makeIdentity().cert))), [90, '']);
});

test('a pin is parsed strictly', () => {
  const digests = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(
    fc.property(digests, (digest) => {
      const pin = `sha256//${Buffer.from(digest).toString('base64')}`;
      assert.equal(parsePin(pin), pin);
      assert.equal(parsePin(` \t${pin}\r\n`), pin);
    }),
  );
  const base64 = Buffer.alloc(32).toString('base64');
  for (const text of [
    '',
    'sha256//',
    base64,
    `sha256/${base64}`,
    `SHA256//${base64}`,
    `sha512//${base64}`,
    `sha256// ${base64}`,
    `sha256//${base64};sha256//${base64}`,
    `sha256//${base64.slice(1)}`,
    `sha256//A${base64}`,
    `sha256//${base64.replace('=', '')}`,
    `sha256//${base64.replace('A=', 'B=')}`,
    `sha256//${base64.replace('A', '_')}`,
    `sha256//${base64.replace('A', '-')}`,
  ])
    assert.equal(parsePin(text), undefined, JSON.stringify(text));
});
