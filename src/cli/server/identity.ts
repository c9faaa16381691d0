import type { Logger } from 'pino';
import { ViaductError, asViaductError } from '../../errors.js';
import { loadIdentity } from '../../identity/identity.js';
import { loadOwn } from '../../identity/own.js';
import type { Identity } from '../../identity/pem.js';
import { defaultStateFolders, stateFolderPath } from '../../identity/state-folder.js';

/** Parsed options. */
export interface IdentityOptions {
  readonly key?: string;
  readonly cert?: string;
  readonly state?: string;
}

/**
 * The key and certificate of a node: of the files that the user names, or else of the state folder. Warns of what may
 * keep others from accepting it.
 * @throws ViaductError USAGE, BAD_IDENTITY; as {@link loadIdentity}
 */
export async function nodeIdentity({ key, cert, state }: IdentityOptions, log: Logger): Promise<Identity> {
  if (key === undefined && cert !== undefined)
    throw new ViaductError('USAGE', '--cert needs --key FILE, the private key of the certificate');
  const identity = await (key === undefined
    ? loadIdentity(stateFolderPath(state), 'node')
    : loadOwn(key, cert ?? key));
  for (const warning of identity.warnings) log.warn({}, warning);
  return identity;
}

/** What a node never serves: its own keys, and those of this user's other nodes and clients, as far as their place is known. */
export function secretPaths({ key, state }: IdentityOptions): readonly string[] {
  const named = [state, key].filter((path) => path !== undefined);
  return [...named, ...defaultStateFolders()];
}

/** Reads the files again, and keeps the present identity if they cannot be used. */
export async function reloadIdentity(
  options: IdentityOptions,
  log: Logger,
  use: (identity: Identity) => Promise<void>,
): Promise<void> {
  try {
    const identity = await nodeIdentity(options, log);
    await use(identity);
    log.info({ pin: identity.pin, notAfter: identity.notAfter }, 'key and certificate read again');
  } catch (error) {
    const { code, message } = asViaductError(error);
    log.error({ code }, `the present key stays in use: ${message}`);
  }
}
