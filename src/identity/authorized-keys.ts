import { basename, dirname, join, resolve } from 'node:path';
import {
  AUTHORIZED_KEYS,
  type AuthorizedClient,
  type AuthorizedLine,
  AuthorizedList,
  authorizedFile,
} from './authorized-list.js';
import { changeStateFile } from './change-state-file.js';
import { type StateFile, parsedOnce, readStateFile } from './state-file.js';
import { stateFolderPath } from './state-folder.js';
import { WatchedStateFile } from './watched-state-file.js';

/** Where the keys of clients that may read come from. */
export interface AuthorizedKeys {
  /** As they are now. @throws ViaductError READ_FAILED: then nobody may read */
  current(): Promise<AuthorizedList>;
}

/** The absolute path of the file. @param option of `--authorized` @param state of `--state` */
export function authorizedPath(option: string | undefined, state: string | undefined): string {
  return option === undefined ? join(stateFolderPath(state), AUTHORIZED_KEYS) : resolve(option);
}

function placeOf(path: string): { readonly folder: string; readonly file: StateFile<AuthorizedList> } {
  return { folder: dirname(path), file: parsedOnce(authorizedFile(basename(path))) };
}

/**
 * The keys of a file, which is read again after each change.
 * @param path absolute
 * @param maxAgeMs how late a change may be noticed
 */
export function watchAuthorized(path: string, maxAgeMs: number): AuthorizedKeys {
  const { folder, file } = placeOf(path);
  return new WatchedStateFile(folder, file, maxAgeMs);
}

/** Keys that never change. @throws ViaductError READ_FAILED that names the line */
export function fixedAuthorized(lines: readonly string[]): AuthorizedKeys {
  const list = new AuthorizedList('authorized', lines.map((line) => `${line}\n`).join(''));
  return { current: async () => list };
}

/** @throws ViaductError READ_FAILED if it cannot be read, a line is malformed, or others may write to it */
export async function readAuthorized(path: string): Promise<AuthorizedList> {
  const { folder, file } = placeOf(path);
  return readStateFile(folder, file);
}

/**
 * Adds the line of a client, or replaces the one that its pin has.
 * @returns the client that has the name already, with another pin; nothing is changed then
 * @throws ViaductError READ_FAILED, WRITE_FAILED or BUSY
 */
export async function authorize(path: string, client: AuthorizedClient): Promise<AuthorizedLine | undefined> {
  const { folder, file } = placeOf(path);
  return changeStateFile(folder, file, (list) => {
    const other = client.name === undefined ? undefined : list.named(client.name);
    if (other !== undefined && other.pin !== client.pin) return { result: other };
    return { result: undefined, text: list.textWith(client) };
  });
}

/**
 * Removes the line of a client.
 * @param who its pin or name
 * @returns whether there was one
 * @throws ViaductError READ_FAILED, WRITE_FAILED or BUSY
 */
export async function revoke(path: string, who: string): Promise<boolean> {
  const { folder, file } = placeOf(path);
  return changeStateFile(folder, file, (list) => {
    const client = list.lookUp(who) ?? list.named(who);
    return client === undefined ? { result: false } : { result: true, text: list.textWithout(client) };
  });
}
