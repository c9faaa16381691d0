import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeIdentity } from '#src/identity/certificate.js';
import { pinOfCertificate } from '#src/identity/pin.js';
import type { Encryption, EncryptionOptions } from '#src/client/http/encryption.js';
import { ViaductError } from 'viaduct';

/** The identity of all nodes that this process starts, so that one pin fits every hop. */
export const IDENTITY = makeIdentity();
export const PIN = pinOfCertificate(new X509Certificate(IDENTITY.cert).raw);

/** Trusts exactly the host with this key. */
export function trusting(pin: string): Encryption {
  return {
    checkKey: async (_route, presented) => {
      if (presented !== pin) throw new ViaductError('WRONG_PIN', `the pin is ${presented}, not ${pin}`);
    },
  };
}

/** For the library: encrypted, to nodes of this process. */
export const TRUSTED: EncryptionOptions = { encryption: trusting(PIN) };
/** For the command. */
export const PINNED = ['--pin', PIN] as const;

const scratch = mkdtempSync(join(tmpdir(), 'viaduct-test-identity-'));
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));

/** The identity as a file, for `viaduct server --key`. */
export const KEY_FILE = join(scratch, 'key.pem');
writeFileSync(KEY_FILE, IDENTITY.key + IDENTITY.cert, { mode: 0o600 });

let otherKeys = 0;

/** A key that {@link PIN} does not fit, as that of another node, for `viaduct server --key`. */
export function otherKeyFile(): string {
  const path = join(scratch, `key-${(otherKeys += 1)}.pem`);
  const { key, cert } = makeIdentity();
  writeFileSync(path, key + cert, { mode: 0o600 });
  return path;
}

// Neither keys nor known hosts of the user are read or written, also if this file runs without the runner.
if (!(process.env['XDG_STATE_HOME'] ?? '').startsWith(join(tmpdir(), 'viaduct-test-')))
  process.env['XDG_STATE_HOME'] = scratch;
