import { join } from 'node:path';
import { systemReason, withContext } from '../errors.js';
import { writePrivateFile } from '../files/private-file.js';
import { readSmallFile } from '../files/small-file.js';
import { makeIdentity } from './certificate.js';
import { privateCommand, withModeChecked } from './loose-mode.js';
import { type Identity, identityError, parseIdentity } from './pem.js';
import { checkStateFolder, createStateFolder } from './state-folder.js';

const MAX_BYTES = 64 * 1024;
/** While it is created it has two names. */
const MAX_LINKS = 2;

/** Whose identity: a host can run a node and be a client, with a key for each. */
export type IdentityRole = 'node' | 'client';

/**
 * The identity in the file `node.pem` or `client.pem` of a state folder. It is made when first needed, in one step:
 * processes that do so at once get the same one.
 * @param stateFolder absolute path
 * @throws ViaductError BAD_IDENTITY if the file cannot be used; READ_FAILED, WRITE_FAILED for the folder
 */
export async function loadIdentity(stateFolder: string, role: IdentityRole): Promise<Identity> {
  const path = join(stateFolder, `${role}.pem`);
  const existing = (await checkStateFolder(stateFolder)) ? await read(path) : undefined;
  if (existing !== undefined) return existing;
  await createStateFolder(stateFolder);
  const { key, cert } = makeIdentity();
  try {
    await writePrivateFile(path, key + cert, { keepExisting: true });
  } catch (error) {
    // Another process was first: its identity counts.
    const winner = await read(path);
    if (winner === undefined) throw error;
    return winner;
  }
  return parseIdentity(key, cert, path, path);
}

/** Undefined if there is no file. */
async function read(path: string): Promise<Identity | undefined> {
  const found = await readSmallFile(path, MAX_BYTES, MAX_LINKS).catch((error: unknown) => {
    throw identityError(path, systemReason(error), error);
  });
  if (found === 'missing') return undefined;
  let otherRemedy = '';
  try {
    if ('unusable' in found) {
      if (found.unusable === 'is writable by others') otherRemedy = ` run: ${privateCommand(path)}; or`;
      throw identityError(path, `it ${found.unusable}`);
    }
    return withModeChecked(parseIdentity(found.text, found.text, path, path), path, found.mode);
  } catch (error) {
    throw withContext(
      error,
      (message) => `${message};${otherRemedy} move or delete it to get a new identity`,
    );
  }
}
