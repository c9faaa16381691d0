import { encodeShare, type SharedKind } from '#src/route/share-token.js';
import { linkPath } from '#src/route/share-link.js';

/** The secret of origins whose links are tested. */
export const SECRET = Buffer.alloc(32, 5);

const HOUR_SECONDS = 3600;

/** The token of a path such as `/photos/2024`. @param hours from now on */
export function tokenFor(path: string, kind: SharedKind = 'folder', hours = 1): string {
  const below = path.split('/').filter((segment) => segment !== '');
  const expires = Math.floor(Date.now() / 1000) + hours * HOUR_SECONDS;
  return encodeShare({ below, kind, expires }, SECRET);
}

/** The path of a link to a path such as `/photos/2024`, that then asks for another one. */
export function linkTo(path: string, kind: SharedKind = 'folder', asked = path): string {
  return linkPath(tokenFor(path, kind), asked);
}
