import assert from 'node:assert/strict';
import {
  chmodSync,
  linkSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { makeIdentity } from '#src/identity/certificate.js';
import { loadIdentity } from '#src/identity/identity.js';
import { pinOfCertificate } from '#src/identity/pin.js';
import { failureOf } from '../../support/failures.js';

import { tempFolder } from '../../support/temp.js';

describe('the identity in a state folder', () => {
  test('is made when first needed, and stays', async (t) => {
    const folder = join(tempFolder(t), 'state');
    const first = await loadIdentity(folder, 'node');
    assert.deepEqual(readdirSync(folder), ['node.pem']);
    const { mode, nlink } = statSync(join(folder, 'node.pem'));
    assert.deepEqual([mode & 0o777, nlink], [0o600, 1]);
    assert.equal(readFileSync(join(folder, 'node.pem'), 'utf8'), first.key + first.cert);
    assert.equal(first.pin, pinOfCertificate(Buffer.from(first.cert)));
    assert.equal(first.notAfter.toISOString(), '2049-12-31T23:59:59.000Z');
    assert.deepEqual(first.warnings, []);
    assert.deepEqual(await loadIdentity(folder, 'node'), first);
  });

  test('is another one for a client', async (t) => {
    const folder = tempFolder(t);
    const [node, client] = [await loadIdentity(folder, 'node'), await loadIdentity(folder, 'client')];
    assert.notEqual(node.pin, client.pin);
    assert.deepEqual(readdirSync(folder), ['client.pem', 'node.pem']);
  });

  test('is used with a warning if other users can read it', async (t) => {
    const folder = tempFolder(t);
    const path = join(folder, 'node.pem');
    const first = await loadIdentity(folder, 'node');
    for (const [mode, isWarned] of [
      [0o600, false],
      [0o640, false],
      [0o644, true],
    ] as const) {
      chmodSync(path, mode);
      const warning = `other users can access the private key in ${path} (mode 0644); run: chmod 600 ${path}`;
      assert.deepEqual(await loadIdentity(folder, 'node'), {
        ...first,
        warnings: isWarned ? [warning] : [],
      });
    }
  });

  test('is the same for all that make it at once, and none leaves a file or descriptor behind', async (t) => {
    for (let round = 0; round < 10; round += 1) {
      const folder = join(tempFolder(t), 'state');
      const found = await Promise.all(Array.from({ length: 10 }, () => loadIdentity(folder, 'node')));
      assert.equal(new Set(found.map(({ pin }) => pin)).size, 1);
      assert.deepEqual(readdirSync(folder), ['node.pem']);
    }
  });
});

const good = makeIdentity();
/** Within the two halves of a P-256 key in PKCS#8. */
const PRIVATE_AT = 50;
const PUBLIC_AT = 100;

/** A key with a byte changed. */
function damaged(pem: string, at: number): string {
  const der = Buffer.from(pem.replaceAll(/-----.*-----/g, ''), 'base64');
  der.writeUInt8(der.readUInt8(at) ^ 1, at);
  return `-----BEGIN PRIVATE KEY-----\n${der.toString('base64')}\n-----END PRIVATE KEY-----\n`;
}

const unusable: Record<string, readonly [make: (path: string, folder: string) => void, why: RegExp]> = {
  'an empty file': [(path) => writeFileSync(path, ''), /it has no private key in PEM form/],
  'half of a file': [
    (path) => writeFileSync(path, (good.key + good.cert).slice(0, 400)),
    /it has no certificate in PEM form/,
  ],
  'a key only': [(path) => writeFileSync(path, good.key), /it has no certificate in PEM form/],
  'a damaged key': [
    (path) => writeFileSync(path, damaged(good.key, PRIVATE_AT) + good.cert),
    /the private key is damaged/,
  ],
  'a key whose public half is damaged': [
    (path) => writeFileSync(path, damaged(good.key, PUBLIC_AT) + good.cert),
    /the private key is damaged/,
  ],
  'a damaged certificate': [
    (path) => writeFileSync(path, good.key + good.cert.replace('MII', 'AAA')),
    /certificate 1 in it is damaged/,
  ],
  'the certificate of another key': [
    (path) => writeFileSync(path, good.key + makeIdentity().cert),
    /its certificate is for another key than/,
  ],
  garbage: [(path) => writeFileSync(path, Buffer.alloc(1000, 0xa5)), /it has no private key/],
  'a large file': [(path) => writeFileSync(path, Buffer.alloc(100_000)), /it is too large/],
  'a link': [(path, folder) => symlinkSync(join(folder, 'victim'), path), /it is a link/],
  'a file with further names': [
    (path, folder) => {
      writeFileSync(path, good.key + good.cert);
      for (const name of ['a', 'b']) linkSync(path, join(folder, name));
    },
    /it has another name too/,
  ],
  'a file that others may write to': [
    (path) => {
      writeFileSync(path, good.key + good.cert);
      chmodSync(path, 0o666);
    },
    /it is writable by others; run: chmod 600 \/\S+\/node\.pem; or move/,
  ],
};

describe('an identity that cannot be used is named, kept, and not replaced', () => {
  for (const [what, [make, why]] of Object.entries(unusable)) {
    test(what, async (t) => {
      const folder = tempFolder(t);
      const path = join(folder, 'node.pem');
      writeFileSync(join(folder, 'victim'), good.key + good.cert);
      make(path, folder);
      const before = readdirSync(folder);
      const { code, message } = await failureOf(loadIdentity(folder, 'node'));
      assert.equal(code, 'BAD_IDENTITY');
      assert.match(message, why);
      assert.ok(message.startsWith(`cannot use ${path}: `), message);
      assert.ok(/; (run: .*; or )?move or delete it to get a new identity$/.test(message), message);
      assert.doesNotMatch(message, /\n/);
      assert.deepEqual(readdirSync(folder), before);
    });
  }
});
