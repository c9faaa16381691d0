import { readFile } from 'node:fs/promises';
import * as tls from 'node:tls';
import { ViaductError, systemReason } from '../errors.js';
import { visible } from '../text.js';

/** Where systems keep the certificates of authorities: Debian, Fedora, openSUSE, Alpine and BSD. */
const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

const CERTIFICATE = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----/;

/**
 * The certificates of authorities, in PEM.
 * @param source a file, or `system`: those of the system, of the file in the variable SSL_CERT_FILE if it is set, or
 *   without any of them those that Node brings (Mozilla's)
 * @throws ViaductError READ_FAILED; USAGE for a file without certificates
 */
export async function loadAuthorities(source: string): Promise<readonly string[]> {
  if (source !== 'system') return [await read(source)];
  const chosen = process.env['SSL_CERT_FILE'];
  if (chosen !== undefined && chosen !== '') return [await read(chosen)];
  for (const path of BUNDLES) {
    const text = await readFile(path, 'latin1').catch(() => '');
    if (CERTIFICATE.test(text)) return [text];
  }
  return tls.rootCertificates;
}

async function read(path: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(path, 'latin1');
  } catch (error) {
    throw new ViaductError('READ_FAILED', `cannot read ${visible(path)}: ${systemReason(error)}`, {
      cause: error,
    });
  }
  if (!CERTIFICATE.test(text))
    throw new ViaductError('USAGE', `${visible(path)} has no certificate in PEM (--ca)`);
  return text;
}
