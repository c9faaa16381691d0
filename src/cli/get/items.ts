import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { GetItem, GetOptions } from '../../client/get/options.js';
import { findMatches } from '../../client/matching.js';
import { folderNameOf, targetNameOf } from '../../client/save-name.js';
import { ViaductError } from '../../errors.js';
import { namesFolder, pathForFile } from '../../files/folder.js';
import { mkdirAll } from '../../files/fs.js';
import { partialConflict } from '../../files/partial-name.js';
import { safeName } from '../../files/safe-name.js';
import { withWriteErrors } from '../../files/write-error.js';
import { type Location, parseLocation } from '../../route/location.js';
import { splitPattern } from '../../route/pattern.js';
import { visible } from '../../text.js';
import { withNamedRelays, withNamedRoute } from '../config/named-route.js';
import type { CommandContext } from '../context.js';
import { type WhereOrPattern, patternFrom } from '../where.js';
import type { GetCommandOptions } from './options.js';

type ItemOptions = Pick<GetCommandOptions, 'output' | 'tar'> & { readonly recursive?: boolean | undefined };

/** What the arguments name. @throws ViaductError USAGE, READ_FAILED, BAD_ROUTE, BAD_CONFIG */
export function wantedFrom(
  wheres: readonly string[],
  options: GetCommandOptions,
  context: CommandContext,
): Promise<WhereOrPattern[]> {
  const [jump = options.jump] = options.via ?? [];
  return Promise.all(
    (wheres.length === 0 ? [undefined] : wheres).map(async (where) => {
      const wanted = await patternFrom(where, { ...options, jump }, context);
      const isFolder = options.recursive === true || options.tar === true;
      if (wanted.pattern === undefined && !isFolder) refuseHopAsName(where, wanted);
      return wanted;
    }),
  );
}

/** Further routes to the one file. @throws ViaductError USAGE, BAD_ROUTE */
export async function otherRoutes(
  [where, ...more]: readonly string[],
  { via = [], also = [], jump, route, recursive }: GetCommandOptions,
): Promise<Location[]> {
  if (via.length + also.length === 0) return [];
  if (where === undefined || more.length > 0 || recursive === true || route !== undefined)
    throw new ViaductError('USAGE', '--via and --also are for one file, which is named by its location');
  if (jump !== undefined && via.length > 0) throw new ViaductError('USAGE', '--via takes the place of -J');
  const location = await withNamedRoute(where);
  if (splitPattern(location) !== undefined)
    throw new ViaductError('USAGE', '--via and --also are for one file, not for a pattern');
  return Promise.all([
    ...via.slice(1).map(async (relays) => parseLocation(location, await withNamedRelays(relays))),
    ...also.map(async (other) => parseLocation(await withNamedRoute(other))),
  ]);
}

/** Something to fetch. */
export interface Found extends Location {
  /** The folder of a pattern, which names of checksums are relative to. */
  readonly base?: string;
}

/** Puts the files that match in the place of patterns. @throws ViaductError as {@link findMatches} */
export async function matched(
  wanted: readonly WhereOrPattern[],
  settings: GetOptions,
  folders: boolean,
): Promise<Found[]> {
  const found: Found[] = [];
  for (const { pattern, ...location } of wanted) {
    if (pattern === undefined) found.push(location);
    else
      for (const match of await findMatches(location, pattern, { ...settings, folders }))
        found.push({ ...match.location, base: location.path });
  }
  return found;
}

/** What to fetch and where to save it. Several locations, and what a pattern matches, are saved into a folder. */
export async function itemsFor(
  locations: readonly Found[],
  isOne: boolean,
  options: ItemOptions,
): Promise<GetItem[]> {
  const { output, recursive = false } = options;
  if (output === '-') return locations.map((location) => ({ location, target: output, recursive: false }));
  const [only] = locations;
  if (output !== undefined && only !== undefined && isOne)
    return [{ location: only, target: await targetFor(output, only, options), recursive }];
  const nameOf = recursive ? folderNameOf : nameFor(options);
  const items = locations.map(({ base, ...location }) => ({
    location,
    base,
    target: join(output ?? '', isOne ? nameOf(location) : safeName(nameOf(location))),
    recursive,
  }));
  refuseSameTargets(
    items.map(({ target }) => target),
    recursive,
  );
  if (output !== undefined) await createOutputFolder(output);
  return items;
}

/** @throws ViaductError USAGE if two files would be saved as one, or one as the partial file of another */
function refuseSameTargets(targets: readonly string[], recursive: boolean): void {
  const all = new Set<string>();
  for (const target of targets) {
    if (all.has(target))
      throw new ViaductError('USAGE', `two locations would both be saved as ${visible(target)}`);
    all.add(target);
  }
  if (recursive || all.size === 1) return;
  const conflict = partialConflict(targets);
  if (conflict !== undefined)
    throw new ViaductError(
      'USAGE',
      `${visible(conflict.beside)} conflicts with the partial file of ${visible(conflict.target)}; fetch the files one by one`,
    );
}

async function createOutputFolder(output: string): Promise<void> {
  const existing = await stat(output).catch(() => undefined);
  if (existing !== undefined && !existing.isDirectory())
    throw new ViaductError('USAGE', `with several files -o must be a folder; ${visible(output)} is none`);
  await withWriteErrors(output, () => mkdirAll(output));
}

/** In `h1:12000/@odd:80` the last part may be meant as the name of a file. */
function refuseHopAsName(where: string | undefined, { path }: Location): void {
  const [, name] = /\/(@[^/]*)\/?$/.exec(where ?? '') ?? [];
  if (path !== '/' || name === undefined) return;
  const [shown, encoded] = [visible(name), visible(`%40${name.slice(1)}`)];
  throw new ViaductError(
    'BAD_ROUTE',
    `"${shown}" was read as a hop; for a file of this name write "${encoded}", for the root folder of the hop use -r`,
  );
}

/** What `-o` means for one location. With `-r`, only the origin knows whether it is a file. */
async function targetFor(output: string, location: Location, options: ItemOptions): Promise<string> {
  const { recursive = false } = options;
  if (recursive) return (await namesFolder(output)) ? join(output, '/') : output;
  return pathForFile(output, () => nameFor(options)(location));
}

/** What one location is saved as, without a name of the user's. */
function nameFor({ tar }: ItemOptions): (location: Location) => string {
  return tar === undefined ? targetNameOf : (location) => `${folderNameOf(location)}.tar`;
}
