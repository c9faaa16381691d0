import type { Stats, StatsFs } from 'node:fs';
import fs, { type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode } from '../errors.js';
import { fsPath, nameOfBytes } from '../route/name.js';

/* The calls of node:fs/promises that this folder uses, for names that need not be UTF-8 (see route/name.ts). */

export function open(path: string, flags: string | number, mode?: number): Promise<FileHandle> {
  return fs.open(fsPath(path), flags, mode);
}

export function link(from: string, to: string): Promise<void> {
  return fs.link(fsPath(from), fsPath(to));
}

export function rename(from: string, to: string): Promise<void> {
  return fs.rename(fsPath(from), fsPath(to));
}

export function rm(path: string, options: { readonly force?: boolean } = {}): Promise<void> {
  return fs.rm(fsPath(path), options);
}

export function stat(path: string): Promise<Stats> {
  return fs.stat(fsPath(path));
}

export function lstat(path: string): Promise<Stats> {
  return fs.lstat(fsPath(path));
}

export function statfs(path: string): Promise<StatsFs> {
  return fs.statfs(fsPath(path));
}

export async function realpath(path: string): Promise<string> {
  return nameOfBytes(await fs.realpath(fsPath(path), { encoding: 'buffer' }));
}

/** Names as the program has them (see route/name.ts). */
export async function readdir(path: string): Promise<string[]> {
  return (await fs.readdir(fsPath(path), { encoding: 'buffer' })).map(nameOfBytes);
}

export async function mkdir(path: string, mode?: number): Promise<void> {
  await fs.mkdir(fsPath(path), { mode });
}

/**
 * Makes a folder and those above it, as `mkdir -p`. Node's own option tries for ever where the folder above exists and
 * takes none (`/proc/x`, measured with Node 20).
 */
export async function mkdirAll(path: string, mode?: number): Promise<void> {
  try {
    await mkdir(path, mode);
  } catch (error) {
    const isThere = await stat(path).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (isThere) return;
    const above = dirname(path);
    if (systemCode(error) !== 'ENOENT' || above === path) throw error;
    await mkdirAll(above, mode);
    // Another process may have made it meanwhile.
    await mkdir(path, mode).catch((again: unknown) => {
      if (systemCode(again) !== 'EEXIST') throw again;
    });
  }
}

export function writeFile(
  path: string,
  text: string,
  options: { readonly flag: string; readonly mode: number },
): Promise<void> {
  return fs.writeFile(fsPath(path), text, options);
}
