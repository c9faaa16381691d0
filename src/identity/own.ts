import { constants } from 'node:fs';
import { ViaductError, systemReason } from '../errors.js';
import { open } from '../files/fs.js';
import { visible } from '../text.js';
import { type Identity, identityError, parseIdentity } from './pem.js';

const MAX_BYTES = 1024 * 1024;
/** Permission to write for the group, and any for others. A group that may read is usual, for keys that services share. */
const LOOSE_MODE = 0o027;

/**
 * A key and certificate of the user's own (`--key`, `--cert`): PEM, the certificate first and the rest of its chain after
 * it. Both may be in one file.
 * @throws ViaductError BAD_IDENTITY, in one line that says what to do
 */
export async function loadOwn(keyFile: string, certFile: string): Promise<Identity> {
  const key = await read(keyFile);
  const cert = await read(certFile);
  const identity = parseIdentity(key.text, cert.text, keyFile, certFile);
  const isLoose = process.geteuid !== undefined && (key.mode & LOOSE_MODE) !== 0;
  if (!isLoose) return identity;
  const mode = (key.mode & 0o777).toString(8).padStart(4, '0');
  const shown = visible(keyFile);
  const warning = `other users can access the private key in ${shown} (mode ${mode}); run: chmod 600 ${shown}`;
  return { ...identity, warnings: [warning, ...identity.warnings] };
}

async function read(path: string): Promise<{ readonly text: string; readonly mode: number }> {
  try {
    // A FIFO must not block a thread.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = await file.stat();
      if (!stat.isFile()) throw identityError(path, 'it is not a file');
      if (stat.size > MAX_BYTES) throw identityError(path, 'it is too large');
      return { text: await file.readFile('latin1'), mode: stat.mode };
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof ViaductError) throw error;
    throw identityError(path, systemReason(error), error);
  }
}
