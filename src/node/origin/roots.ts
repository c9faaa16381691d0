import { ViaductError } from '../../errors.js';
import { visible } from '../../text.js';
import type { NodeOptions } from '../options.js';
import { Neighbours } from './neighbours.js';
import { Root } from './root.js';
import type { Secrets } from './secrets.js';

/** The folders that a node serves. */
export interface Roots {
  readonly top: Root;
  /** By the first segment of their names, which then is no name in the top. */
  readonly shares: ReadonlyMap<string, Root>;
}

/** @throws ViaductError USAGE for a folder that cannot be served, or is served already, or a wrong name of one */
export async function openRoots(
  { root, shares = [], dotfiles = false }: NodeOptions,
  secrets: Secrets,
): Promise<Roots> {
  checkShareNames(shares.map(({ name }) => name));
  const opened = new Map<string, Root>();
  for (const { name, folder } of shares) opened.set(name, await Root.at(folder, dotfiles, secrets, name));
  const path = root ?? (opened.size === 0 ? '.' : undefined);
  const top = path === undefined ? Root.nothing() : await Root.at(path, dotfiles, secrets);
  if (opened.size === 0) return { top, shares: opened };
  const folders = shares.map(({ name, folder }) => ({ given: folder, real: opened.get(name)?.path ?? '' }));
  if (path !== undefined) folders.push({ given: path, real: top.path });
  const twice = await Neighbours.sameFolder(folders.map(({ real }) => real));
  // Two names would have to have the same readers: the more open one would be that of both.
  if (twice !== undefined)
    throw new ViaductError(
      'USAGE',
      `the folder ${visible([...new Set(twice)].join(' = '))} is served under two names`,
    );
  const neighbours = await Neighbours.of(folders);
  const names = new Set(opened.keys());
  return {
    top: top.beside(neighbours, names),
    shares: new Map([...opened].map(([name, share]) => [name, share.beside(neighbours, names)])),
  };
}

/** One segment of a path on every system, and never hidden. @throws ViaductError USAGE */
export function checkShareNames(names: readonly string[]): void {
  for (const [index, name] of names.entries()) {
    if (name === '') throw new ViaductError('USAGE', 'a share has no name');
    if (name.startsWith('.')) throw usage(name, 'has a leading dot');
    const [wrong] = /[/\\\0]/.exec(name) ?? [];
    if (wrong !== undefined) throw usage(name, `has a "${visible(wrong)}" in its name`);
    if (names.indexOf(name) < index) throw usage(name, 'is given twice');
  }
}

function usage(name: string, why: string): ViaductError {
  return new ViaductError('USAGE', `the share "${visible(name)}" ${why}`);
}
