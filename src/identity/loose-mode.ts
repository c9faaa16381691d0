import { visible } from '../text.js';
import type { Identity } from './pem.js';

/** Permission to write for the group, and any for others. A group that may read is usual, for keys that services share. */
const LOOSE_MODE = 0o027;

/** With a warning, before the others, if other users can access the file of the private key. */
export function withModeChecked(identity: Identity, keyPath: string, fileMode: number): Identity {
  if (process.geteuid === undefined || (fileMode & LOOSE_MODE) === 0) return identity;
  const mode = (fileMode & 0o777).toString(8).padStart(4, '0');
  const warning = `other users can access the private key in ${visible(keyPath)} (mode ${mode}); run: ${privateCommand(keyPath)}`;
  return { ...identity, warnings: [warning, ...identity.warnings] };
}

/** The command that takes all permissions from other users. */
export function privateCommand(path: string): string {
  return `chmod 600 ${visible(path)}`;
}
