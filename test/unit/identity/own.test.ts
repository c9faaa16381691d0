import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { makeIdentity } from '#src/identity/certificate.js';
import { loadOwn } from '#src/identity/own.js';
import { pinOfCertificate } from '#src/identity/pin.js';
import { failureOf } from '../../support/failures.js';
import { havePeer } from '../../support/peers.js';
import { tempFolder } from '../../support/temp.js';

/** Files for a key and a certificate, which only this user may read. */
function files(t: TestContext, key: string, cert: string) {
  const folder = tempFolder(t);
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  writeFileSync(keyFile, key, { mode: 0o600 });
  writeFileSync(certFile, cert);
  return { folder, keyFile, certFile, load: () => loadOwn(keyFile, certFile) };
}

/** Runs openssl in a folder and returns the text of its files. */
function openssl(t: TestContext, ...commands: readonly string[]): (name: string) => string {
  const folder = tempFolder(t);
  for (const command of commands)
    execFileSync('openssl', command.split(' '), { cwd: folder, stdio: 'ignore' });
  return (name) => readFileSync(join(folder, name), 'utf8');
}

const SELF_SIGNED = 'req -x509 -nodes -subj /CN=x -keyout key -out cert -days 10';

test('a key and certificate, in two files or in one', async (t) => {
  const { key, cert } = makeIdentity();
  const { keyFile, load } = files(t, key, cert);
  const identity = await load();
  assert.deepEqual(identity, {
    key,
    cert,
    pin: pinOfCertificate(Buffer.from(cert)),
    notAfter: new Date('2049-12-31T23:59:59Z'),
    warnings: [],
  });
  writeFileSync(keyFile, `some text\n${cert}and more\n${key}`);
  assert.deepEqual(await loadOwn(keyFile, keyFile), identity);
});

describe('keys of other kinds', () => {
  for (const [kind, made] of [
    ['RSA', '-newkey rsa:2048'],
    ['Ed25519', '-newkey ed25519'],
    ['P-384', '-newkey ec -pkeyopt ec_paramgen_curve:P-384'],
  ] as const) {
    test(kind, async (t) => {
      if (!havePeer(t, 'openssl')) return;
      const read = openssl(t, `${SELF_SIGNED} ${made}`);
      const { load } = files(t, read('key'), read('cert'));
      const { warnings, pin } = await load();
      assert.deepEqual(warnings, []);
      assert.equal(pin, pinOfCertificate(Buffer.from(read('cert'))));
    });
  }

  for (const [kind, made, why] of [
    [
      'RSA of 1024 bits',
      '-newkey rsa:1024',
      /the RSA key has only 1024 bits; use P-256, Ed25519, or RSA with 2048/,
    ],
    [
      'secp256k1',
      '-newkey ec -pkeyopt ec_paramgen_curve:secp256k1',
      /no signatures for keys on the curve secp256k1/,
    ],
  ] as const) {
    test(`${kind} is refused`, async (t) => {
      if (!havePeer(t, 'openssl')) return;
      const read = openssl(t, `${SELF_SIGNED} ${made}`);
      const { code, message } = await failureOf(files(t, read('key'), read('cert')).load());
      assert.equal(code, 'BAD_IDENTITY');
      assert.match(message, why);
    });
  }

  test('an encrypted key is refused, in both of its forms', async (t) => {
    if (!havePeer(t, 'openssl')) return;
    const read = openssl(
      t,
      `${SELF_SIGNED} -newkey rsa:2048`,
      'pkcs8 -topk8 -in key -out pkcs8 -passout pass:x',
      'rsa -aes128 -in key -out traditional -passout pass:x -traditional',
    );
    for (const name of ['pkcs8', 'traditional']) {
      const { keyFile, load } = files(t, read(name), read('cert'));
      const { message } = await failureOf(load());
      assert.equal(
        message,
        `cannot use ${keyFile}: the private key is encrypted; decrypt it with: openssl pkey -in FILE -out NEW`,
      );
    }
  });
});

describe('a chain', () => {
  const CHAIN = [
    'req -x509 -nodes -subj /CN=root -newkey ec -pkeyopt ec_paramgen_curve:P-256 -keyout ca.key -out ca -days 10',
    'req -nodes -subj /CN=leaf -newkey ec -pkeyopt ec_paramgen_curve:P-256 -keyout key -out request',
    'x509 -req -in request -CA ca -CAkey ca.key -set_serial 1 -out cert -days 10',
  ];

  test('is kept in its order, with or without its root', async (t) => {
    if (!havePeer(t, 'openssl')) return;
    const read = openssl(t, ...CHAIN);
    for (const cert of [read('cert'), read('cert') + read('ca')]) {
      const identity = await files(t, read('key'), cert).load();
      assert.equal(identity.cert, cert);
      assert.deepEqual(identity.warnings, []);
      assert.equal(identity.pin, pinOfCertificate(Buffer.from(read('cert'))));
    }
  });

  test('in the wrong order is refused; a certificate that does not belong to it is a warning', async (t) => {
    if (!havePeer(t, 'openssl')) return;
    const read = openssl(t, ...CHAIN);
    const wrong = files(t, read('key'), read('ca') + read('cert'));
    assert.equal(
      (await failureOf(wrong.load())).message,
      `cannot use ${wrong.certFile}: the certificate of the key must be the first one, but it is number 2`,
    );
    const stray = files(t, read('key'), read('cert') + makeIdentity().cert);
    assert.match(
      (await stray.load()).warnings[0] ?? '',
      /certificate 2 in \S+ did not issue the one before it/,
    );
  });
});

test('an expired certificate, and one that is not valid yet, are warnings', async (t) => {
  if (!havePeer(t, 'openssl')) return;
  const read = openssl(
    t,
    'genpkey -algorithm ed25519 -out key',
    'req -new -key key -subj /CN=x -out request',
    // The day before it is signed, in both directions.
    'x509 -req -in request -signkey key -out expired -days -1',
  );
  const { certFile, load } = files(t, read('key'), read('expired'));
  const { warnings, notAfter } = await load();
  assert.ok(notAfter.getTime() < Date.now());
  assert.equal(warnings.length, 1);
  assert.match(
    warnings[0] ?? '',
    /^the certificate in \S+ expired on .* GMT; clients that know the pin accept it/,
  );
  assert.ok(warnings[0]?.includes(certFile));
});

test('a key that other users can access is a warning; a group that may read it is usual', async (t) => {
  const { key, cert } = makeIdentity();
  const { keyFile, load } = files(t, key, cert);
  for (const [mode, shown] of [
    [0o644, '0644'],
    [0o660, '0660'],
    [0o604, '0604'],
  ] as const) {
    chmodSync(keyFile, mode);
    assert.deepEqual((await load()).warnings, [
      `other users can access the private key in ${keyFile} (mode ${shown}); run: chmod 600 ${keyFile}`,
    ]);
  }
  chmodSync(keyFile, 0o640);
  assert.deepEqual((await load()).warnings, []);
});

test('files that cannot be used: one line each, with the name of the file', async (t) => {
  const { key, cert } = makeIdentity();
  const { folder, keyFile, certFile } = files(t, key, cert);
  const missing = join(folder, 'missing');
  const fifo = join(folder, 'fifo');
  execFileSync('mkfifo', [fifo]);
  mkdirSync(join(folder, 'sub'));
  for (const [keyPath, certPath, message] of [
    [missing, certFile, `cannot use ${missing}: no such file or directory`],
    [keyFile, missing, `cannot use ${missing}: no such file or directory`],
    [fifo, certFile, `cannot use ${fifo}: it is not a file`],
    [join(folder, 'sub'), certFile, `cannot use ${join(folder, 'sub')}: it is not a file`],
    [certFile, certFile, `cannot use ${certFile}: it has no private key in PEM form`],
    [keyFile, keyFile, `cannot use ${keyFile}: it has no certificate in PEM form`],
  ] as const) {
    const failure = await failureOf(loadOwn(keyPath, certPath));
    assert.equal(failure.code, 'BAD_IDENTITY');
    assert.equal(failure.message, message);
  }
});
