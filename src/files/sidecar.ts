import { open, readFile, rename, rm } from 'node:fs/promises';
import { ViaductError, systemCode } from '../errors.js';
import { parseJsonObject } from '../json.js';
import { type Version, isStrongEtag } from './version.js';
import { type Location, formatLocation, parseLocation } from '../route/location.js';

/**
 * What stands beside a partial file, as JSON: from where it is and of which version, so that a later run can
 * go on with it. It is replaced as a whole, so that a crash leaves the old one or the new one.
 */
export interface Sidecar {
  /** Where the bytes came from, as a URL. */
  readonly source: string;
  readonly etag: string | undefined;
  readonly size: number;
}

/** The sidecar of a version that comes from a location. */
export function sidecarOf(location: Location, { etag, size }: Version): Sidecar {
  return { source: formatLocation(location), etag, size };
}

/** True if a sidecar is about the same path at the origin. By which route it is reached is the user's choice. */
export function isSameFile({ source }: Sidecar, { path }: Location): boolean {
  try {
    return parseLocation(source).path === path;
  } catch (error) {
    if (error instanceof ViaductError) return false;
    throw error;
  }
}

/** `foreign` is a file that viaduct has not written. @throws system errors other than ENOENT */
export async function readSidecar(path: string): Promise<Sidecar | 'missing' | 'foreign'> {
  try {
    return parse(await readFile(path, 'utf8')) ?? 'foreign';
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 'missing';
    throw error;
  }
}

export async function writeSidecar(path: string, sidecar: Sidecar): Promise<void> {
  const fresh = `${path}.new`;
  await rm(fresh, { force: true });
  const file = await open(fresh, 'wx');
  try {
    await file.writeFile(`${JSON.stringify(sidecar)}\n`);
    // Else a crash of the machine could leave the new name with nothing in it.
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(fresh, path);
}

function parse(text: string): Sidecar | undefined {
  const { source, etag, size } = parseJsonObject(text) ?? {};
  if (typeof source !== 'string' || typeof size !== 'number' || !Number.isSafeInteger(size)) return undefined;
  return { source, etag: typeof etag === 'string' && isStrongEtag(etag) ? etag : undefined, size };
}
