import { type KeyObject, X509Certificate, createPrivateKey, sign, verify } from 'node:crypto';
import { ViaductError } from '../errors.js';
import { visible } from '../text.js';
import { pinOfCertificate } from './pin.js';

/** What a node or client proves to be. */
export interface Identity {
  /** The private key, as PEM. */
  readonly key: string;
  /** The certificate, as PEM; further ones of its chain follow. */
  readonly cert: string;
  readonly pin: string;
  /** When the certificate expires. Pins do not. */
  readonly notAfter: Date;
  /** What may keep others from accepting it, a sentence each. */
  readonly warnings: readonly string[];
}

/** RSA keys with fewer bits are refused, as OpenSSL refuses them at its usual security level. */
const MIN_RSA_BITS = 2048;
/** Curves that TLS 1.3 can sign with, by OpenSSL's names. */
const CURVES = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;
const PRIVATE_KEY = /-----BEGIN ((?:[A-Z0-9]+ )?PRIVATE KEY)-----[^-]*-----END \1-----/;
const ENCRYPTED_KEY = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m;

/**
 * A private key and its certificate from PEM text, which may have both in one file.
 * @throws ViaductError BAD_IDENTITY, in one line that says what to do
 */
export function parseIdentity(
  keyText: string,
  certText: string,
  keyPath: string,
  certPath: string,
): Identity {
  const key = parseKey(keyText, keyPath);
  const chain = parseChain(certText, certPath);
  const [certificate] = chain;
  if (certificate === undefined) throw identityError(certPath, 'it has no certificate in PEM form');
  if (!certificate.checkPrivateKey(key.object)) throw wrongKey(key.object, chain, keyPath, certPath);
  if (!signs(key.object, certificate)) throw identityError(keyPath, 'the private key is damaged');
  return {
    key: key.pem,
    cert: chain.map((part) => part.toString()).join(''),
    pin: pinOfCertificate(certificate),
    notAfter: new Date(certificate.validTo),
    warnings: warningsOf(certificate, chain, certPath),
  };
}

export function identityError(path: string, reason: string, cause?: unknown): ViaductError {
  return new ViaductError('BAD_IDENTITY', `cannot use ${visible(path)}: ${reason}`, { cause });
}

function parseKey(text: string, path: string): { readonly pem: string; readonly object: KeyObject } {
  if (ENCRYPTED_KEY.test(text))
    throw identityError(
      path,
      'the private key is encrypted; decrypt it with: openssl pkey -in FILE -out NEW',
    );
  const [pem] = PRIVATE_KEY.exec(text) ?? [];
  if (pem === undefined) throw identityError(path, 'it has no private key in PEM form');
  let object: KeyObject;
  try {
    object = createPrivateKey(pem);
  } catch (error) {
    throw identityError(path, 'the private key is damaged', error);
  }
  const weakness = whyNotUsable(object);
  if (weakness !== undefined)
    throw identityError(path, `${weakness}; use P-256, Ed25519, or RSA with ${MIN_RSA_BITS} bits or more`);
  return { pem: `${pem}\n`, object };
}

/** Why TLS 1.3 cannot sign with a key, or should not. */
function whyNotUsable({
  asymmetricKeyType: type,
  asymmetricKeyDetails: details,
}: KeyObject): string | undefined {
  if (type === 'ed25519' || type === 'ed448') return undefined;
  if (type === 'rsa' || type === 'rsa-pss') {
    const bits = details?.modulusLength ?? 0;
    return bits < MIN_RSA_BITS ? `the RSA key has only ${bits} bits` : undefined;
  }
  if (type !== 'ec') return `TLS 1.3 has no signatures for keys of the type ${type ?? 'unknown'}`;
  const curve = details?.namedCurve ?? 'unknown';
  return CURVES.has(curve) ? undefined : `TLS 1.3 has no signatures for keys on the curve ${curve}`;
}

/** Whether a signature of the key is valid: OpenSSL takes a damaged private key whose public half is whole. */
function signs(key: KeyObject, { publicKey }: X509Certificate): boolean {
  const type = key.asymmetricKeyType;
  // Such a key may be limited to other digests.
  if (type === 'rsa-pss') return true;
  const digest = type === 'ed25519' || type === 'ed448' ? null : 'sha256';
  const sample = Buffer.from('viaduct');
  try {
    return verify(digest, sample, publicKey, sign(digest, sample, key));
  } catch {
    return false;
  }
}

function parseChain(text: string, path: string): X509Certificate[] {
  const blocks = text.match(CERTIFICATE) ?? [];
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch (error) {
      throw identityError(path, `certificate ${index + 1} in it is damaged`, error);
    }
  });
}

function wrongKey(
  key: KeyObject,
  chain: readonly X509Certificate[],
  keyPath: string,
  certPath: string,
): ViaductError {
  const fitting = chain.findIndex((certificate) => certificate.checkPrivateKey(key));
  const reason =
    fitting === -1
      ? `its certificate is for another key than ${visible(keyPath)}`
      : `the certificate of the key must be the first one, but it is number ${fitting + 1}`;
  return identityError(certPath, reason);
}

function warningsOf(certificate: X509Certificate, chain: readonly X509Certificate[], path: string): string[] {
  const { validFrom, validTo } = certificate;
  const now = Date.now();
  const shown = visible(path);
  const only = 'clients that know the pin accept it, all others refuse it';
  const gap = chain.findIndex((part, index) => {
    const next = chain[index + 1];
    return next !== undefined && !part.checkIssued(next);
  });
  return [
    ...(Date.parse(validTo) < now ? [`the certificate in ${shown} expired on ${validTo}; ${only}`] : []),
    ...(Date.parse(validFrom) > now
      ? [`the certificate in ${shown} is valid from ${validFrom}; ${only}`]
      : []),
    ...(gap === -1
      ? []
      : [
          `certificate ${gap + 2} in ${shown} did not issue the one before it; clients that know the pin accept it`,
        ]),
  ];
}
