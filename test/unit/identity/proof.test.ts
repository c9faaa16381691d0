import assert from 'node:assert/strict';
import { type KeyObject, createHash, generateKeyPairSync } from 'node:crypto';
import { suite, test } from 'node:test';
import { proveKey, provenPin } from '#src/identity/proof.js';

const BINDING = Buffer.alloc(32, 1);

const pemOf = (key: KeyObject): { key: string } => ({
  key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
});

const KEYS: Readonly<Record<string, () => { privateKey: KeyObject; publicKey: KeyObject }>> = {
  'P-256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  'P-384': () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  'P-521': () => generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  'RSA of 2048 bits': () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  Ed25519: () => generateKeyPairSync('ed25519'),
  Ed448: () => generateKeyPairSync('ed448'),
};

/** Whoever shows a key chooses what it costs to verify. */
const REFUSED: typeof KEYS = {
  'RSA with a large exponent': () =>
    generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 65_539 }),
  'a curve that TLS does not have': () => generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
  DSA: () => generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }),
};

suite('proofs of a key', () => {
  for (const [name, make] of Object.entries(KEYS))
    test(`${name} is proved for one connection`, () => {
      const { privateKey, publicKey } = make();
      const proof = proveKey(pemOf(privateKey), BINDING);
      const der = publicKey.export({ type: 'spki', format: 'der' });
      assert.equal(provenPin(proof, BINDING), `sha256//${createHash('sha256').update(der).digest('base64')}`);
      assert.equal(provenPin(proof, Buffer.alloc(32, 2)), undefined);
      assert.equal(provenPin({ ...proof, signature: Buffer.alloc(64) }, BINDING), undefined);
      assert.equal(provenPin({ ...proof, key: Buffer.concat([proof.key, BINDING]) }, BINDING), undefined);
    });

  for (const [name, make] of Object.entries(REFUSED))
    test(`${name} is refused`, () => {
      assert.equal(provenPin(proveKey(pemOf(make().privateKey), BINDING), BINDING), undefined);
    });
});
