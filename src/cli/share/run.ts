import { ViaductError } from '../../errors.js';
import { loadShareSecret, replaceShareSecret, shareSecretPath } from '../../identity/share-secret.js';
import { formatLocation, parseLocation } from '../../route/location.js';
import { linkPath } from '../../route/share-link.js';
import { encodeShare } from '../../route/share-token.js';
import { formatSubtree } from '../../route/subtree.js';
import { visible } from '../../text.js';
import { withNamedRoute } from '../config/named-route.js';
import type { CommandContext } from '../context.js';
import { standardOutput, untilReaderLeaves } from '../terminal/standard-output.js';
import { parseShare } from '../shares.js';
import { findShared } from './find.js';

export interface ShareOptions {
  /** `--for`, in seconds */
  readonly for: number;
  readonly route?: string;
  readonly root?: string;
  readonly share?: readonly string[];
  /** `--state` */
  readonly state?: string;
  readonly revokeAll?: true;
}

/** Prints a link, or makes all earlier ones useless. Returns the exit code. */
export async function runShare(
  argument: string | undefined,
  options: ShareOptions,
  { stdout, stderr }: CommandContext,
): Promise<number> {
  const secretPath = shareSecretPath(options.state);
  if (options.revokeAll) {
    if (argument !== undefined) throw usage('--revoke-all has no argument');
    await replaceShareSecret(secretPath);
    return 0;
  }
  if (argument === undefined) throw usage('expected: share PATH, or --revoke-all');
  // Checked before a secret is made.
  const url = urlFor(options.route && (await withNamedRoute(options.route)));
  const shares = options.share?.map(parseShare);
  const { below, kind } = await findShared(argument, options.root ?? (shares ? undefined : '.'), shares);
  const expires = Math.floor(Date.now() / 1000) + options.for;
  const token = encodeShare({ below, kind, expires }, await loadShareSecret(secretPath));
  const path = formatSubtree(below) + (kind === 'folder' && below.length > 0 ? '/' : '');
  const what = kind === 'folder' ? `${visible(path)} and all below it` : visible(path);
  stderr.write(`viaduct: opens ${what} until ${timeOf(expires)}, for everyone who has the link\n`);
  if (options.route === undefined)
    stderr.write('viaduct: put the address of the node in front, as in http://HOST:PORT/…, or use --route\n');
  await untilReaderLeaves(standardOutput(stdout)(Buffer.from(`${url(linkPath(token, path))}\n`)));
  return 0;
}

/** @returns what makes a URL of a path at the node; without a route, the path alone */
function urlFor(route: string | undefined): (path: string) => string {
  if (route === undefined) return (path) => path;
  const location = parseLocation(route);
  if (location.path !== '/') throw usage(`--route ends at the node, but "${visible(route)}" has a path`);
  return (path) => formatLocation({ ...location, path });
}

function timeOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000', '');
}

function usage(message: string): ViaductError {
  return new ViaductError('USAGE', message);
}
