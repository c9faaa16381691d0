import { constants } from 'node:fs';
import { ViaductError, systemReason } from '../errors.js';
import { open } from '../files/fs.js';
import { withModeChecked } from './loose-mode.js';
import { type Identity, identityError, parseIdentity } from './pem.js';

const MAX_BYTES = 1024 * 1024;

/**
 * A key and certificate of the user's own (`--key`, `--cert`): PEM, the certificate first and the rest of its chain after
 * it. Both may be in one file.
 * @throws ViaductError BAD_IDENTITY, in one line that says what to do
 */
export async function loadOwn(keyFile: string, certFile: string): Promise<Identity> {
  const key = await read(keyFile);
  const cert = await read(certFile);
  return withModeChecked(parseIdentity(key.text, cert.text, keyFile, certFile), keyFile, key.mode);
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
