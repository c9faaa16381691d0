import { randomBytes } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { SECRET_BYTES } from '../route/share-token.js';
import { changeStateFile } from './change-state-file.js';
import { type StateFile, parsedOnce } from './state-file.js';
import { stateFolderPath } from './state-folder.js';
import { cannotRead } from './state-lines.js';
import { WatchedStateFile } from './watched-state-file.js';

const SHARE_SECRET = 'share_secret';

/** Where the secret of an origin comes from, with which it makes and checks its links. */
export interface ShareSecret {
  /** As it is now; undefined if there is none, so that no link is right. @throws ViaductError READ_FAILED */
  current(): Promise<Buffer | undefined>;
}

/** The absolute path of the file. @param state of `--state` */
export function shareSecretPath(state?: string): string {
  return join(stateFolderPath(state), SHARE_SECRET);
}

function fileOf(path: string): { readonly folder: string; readonly file: StateFile<Buffer | undefined> } {
  return { folder: dirname(path), file: parsedOnce({ name: basename(path), parse, isSecret: true }) };
}

/** @returns undefined for an empty text: there is no secret yet */
function parse(path: string, text: string): Buffer | undefined {
  if (text === '') return undefined;
  const secret = Buffer.from(text.trim(), 'base64');
  if (secret.length === SECRET_BYTES && textOf(secret) === text) return secret;
  throw cannotRead(
    path,
    'it is damaged; delete it to get a new secret, with which earlier links open nothing',
  );
}

function textOf(secret: Buffer): string {
  return `${secret.toString('base64')}\n`;
}

/**
 * The secret of a file. It is made when first needed, in one step: processes that do so at once get the same one.
 * @param path absolute
 * @throws ViaductError READ_FAILED, WRITE_FAILED or BUSY
 */
export async function loadShareSecret(path: string): Promise<Buffer> {
  const { folder, file } = fileOf(path);
  const secret = randomBytes(SECRET_BYTES);
  return changeStateFile(folder, file, (existing) =>
    existing === undefined ? { result: secret, text: textOf(secret) } : { result: existing },
  );
}

/**
 * The secret of a file, which is read again after each change.
 * @param path absolute
 * @param maxAgeMs how late a change may be noticed
 */
export function watchShareSecret(path: string, maxAgeMs: number): ShareSecret {
  const { folder, file } = fileOf(path);
  return new WatchedStateFile(folder, file, maxAgeMs);
}

/** Makes another secret, so that no earlier link opens anything. @throws ViaductError READ_FAILED, WRITE_FAILED or BUSY */
export async function replaceShareSecret(path: string): Promise<void> {
  const { folder, file } = fileOf(path);
  const text = textOf(randomBytes(SECRET_BYTES));
  await changeStateFile(folder, file, () => ({ result: undefined, text }));
}
