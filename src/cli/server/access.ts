import type { AccessWayName } from '../../node/access/readers.js';
import type { NodeOptions, Share } from '../../node/options.js';
import { ViaductError } from '../../errors.js';
import { authorizedPath } from '../../identity/authorized-keys.js';
import { shareSecretPath } from '../../identity/share-secret.js';
import { defaultStateFolders } from '../../identity/state-folder.js';
import { type ShareArgument, type Who, parseShare } from '../shares.js';

/** Who may read what, as it is given. */
export interface AccessOptions {
  readonly root?: string;
  readonly share?: readonly string[];
  readonly access: Who;
  readonly authorized?: string;
  /** `--state` */
  readonly state?: string;
}

/** @throws ViaductError USAGE for a malformed share, or a file that has no effect */
export function accessFrom(
  options: AccessOptions,
): Pick<NodeOptions, 'root' | 'shares' | 'access' | 'authorized' | 'shareSecret'> {
  const { root, access, share = [] } = options;
  const shares = share.map(parseShare);
  const asked = [access, ...shares.map((one) => one.access ?? access)];
  return {
    root,
    shares: shares.map(shareOf),
    access: waysOf(access),
    authorized: authorizedFrom(options, asked),
    shareSecret: shareSecretFrom(options, asked),
  };
}

function shareOf({ name, folder, access }: ShareArgument): Share {
  return { name, folder, access: access && waysOf(access) };
}

function waysOf(who: Who): 'public' | readonly AccessWayName[] {
  if (who === 'public') return who;
  return (['keys', 'links'] as const).filter((way) => who.split(',').includes(way));
}

function authorizedFrom({ authorized, state }: AccessOptions, asked: readonly Who[]): string | undefined {
  if (asked.some((who) => who.includes('keys'))) return authorizedPath(authorized, state);
  if (authorized === undefined) return undefined;
  throw new ViaductError('USAGE', '--authorized needs --access keys, or a share with access=keys');
}

/** Undefined for a user without a state folder, which only links need. @throws ViaductError USAGE if it is needed */
function shareSecretFrom({ state }: AccessOptions, asked: readonly Who[]): string | undefined {
  const hasFolder = state !== undefined || defaultStateFolders().length > 0;
  return hasFolder || asked.some((who) => who.includes('links')) ? shareSecretPath(state) : undefined;
}
