import { X509Certificate, createHash } from 'node:crypto';

/**
 * The pin of a certificate: the SHA-256 of its public key (the DER of SubjectPublicKeyInfo), as curl's --pinnedpubkey has
 * it. A new certificate for the same key has the same pin.
 * @param certificate DER or PEM, or parsed
 */
export function pinOfCertificate(certificate: Buffer | X509Certificate): string {
  const { publicKey } =
    certificate instanceof X509Certificate ? certificate : new X509Certificate(certificate);
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return `sha256//${createHash('sha256').update(spki).digest('base64')}`;
}
