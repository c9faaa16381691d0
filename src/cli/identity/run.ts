import { loadIdentity } from '../../identity/identity.js';
import { stateFolderPath } from '../../identity/state-folder.js';
import type { CommandContext } from '../context.js';

export interface IdentityOptions {
  /** `--state` */
  readonly state?: string;
  readonly client?: true;
  readonly qr?: true;
}

/** Prints the pin of an identity. Returns the exit code. */
export async function runIdentity(
  { state, client, qr }: IdentityOptions,
  { stdout, stderr }: CommandContext,
): Promise<number> {
  const { pin, warnings } = await loadIdentity(stateFolderPath(state), client ? 'client' : 'node');
  for (const warning of warnings) stderr.write(`viaduct: warning: ${warning}\n`);
  stdout.write(`${pin}\n`);
  if (qr) {
    const { encodeQR } = await import('qr');
    // Two rows of the code in each line.
    stdout.write(encodeQR(pin, 'ascii'));
  }
  return 0;
}
