import { ViaductError } from '../../errors.js';
import { type Location, formatLocation, parseLocation } from '../../route/location.js';
import { withoutLink } from '../../route/share-link.js';

/**
 * The source that a sidecar records: without a link, which is a secret, and may be another one when the transfer goes on. Of an
 * archive it is the folder.
 */
export function recordedSource(location: Location): string {
  return formatLocation({ ...location, path: plainPath(location) });
}

/**
 * Whether the source that a sidecar records has the same path as a location. The route may differ: the user may reach
 * the same file another way.
 */
export function isSameOriginPath(recorded: string, location: Location): boolean {
  try {
    return parseLocation(recorded).path === plainPath(location);
  } catch (error) {
    if (error instanceof ViaductError) return false;
    throw error;
  }
}

/** The path of the folder that a file is in. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1);
}

function plainPath({ path }: Location): string {
  return withoutLink(path).replace(/\?.*$/, '');
}
