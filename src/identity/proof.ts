import { type KeyObject, createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import type { KeyAndCertificate } from './certificate.js';

/** What is signed, so that the signature proves nothing elsewhere. */
const CONTEXT = Buffer.from('viaduct parking, version 1\0');

/** A public key (DER of SubjectPublicKeyInfo), and its signature of one TLS connection. */
export interface ConnectionProof {
  readonly key: Buffer;
  readonly signature: Buffer;
}

/**
 * Proves to the other end of a TLS connection that this end has a key. It holds for this connection alone, so that nobody
 * can use it again.
 * @param binding of the connection (`tls-exporter`, RFC 9266): known to its two ends only
 */
export function proveKey({ key: pem }: Pick<KeyAndCertificate, 'key'>, binding: Buffer): ConnectionProof {
  const key = createPrivateKey(pem);
  return {
    key: createPublicKey(key).export({ type: 'spki', format: 'der' }),
    signature: sign(algorithmFor(key), Buffer.concat([CONTEXT, binding]), key),
  };
}

/** The pin that the other end of a connection has proved; undefined if the proof is not for this connection and key. */
export function provenPin({ key: der, signature }: ConnectionProof, binding: Buffer): string | undefined {
  try {
    const key = createPublicKey({ key: der, type: 'spki', format: 'der' });
    // Only the canonical form of a key, since its hash is the pin.
    if (!isOrdinary(key)) return undefined;
    if (!key.export({ type: 'spki', format: 'der' }).equals(der)) return undefined;
    if (!verify(algorithmFor(key), Buffer.concat([CONTEXT, binding]), key, signature)) return undefined;
    return `sha256//${createHash('sha256').update(der).digest('base64')}`;
  } catch {
    return undefined; // No key, or one of a kind that signs nothing.
  }
}

const CURVES = new Set<string | undefined>(['prime256v1', 'secp384r1', 'secp521r1']);
const RSA_BITS = 8192;
const RSA_EXPONENT = 65_537n;

/** Of a kind that TLS 1.3 has certificates for, and no dearer to verify: anybody may show a key that was made to be. */
function isOrdinary({ asymmetricKeyType: type, asymmetricKeyDetails: details = {} }: KeyObject): boolean {
  const { namedCurve, modulusLength = Infinity, publicExponent = 0n } = details;
  if (type === 'rsa') return modulusLength <= RSA_BITS && publicExponent <= RSA_EXPONENT;
  return type === 'ec' ? CURVES.has(namedCurve) : type === 'ed25519' || type === 'ed448';
}

/** Edwards curves have a hash of their own. */
function algorithmFor({ asymmetricKeyType }: KeyObject): string | null {
  return asymmetricKeyType === 'ed25519' || asymmetricKeyType === 'ed448' ? null : 'sha256';
}
