import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ViaductError } from 'viaduct';
import type { Encryption, EncryptionOptions } from '#src/client/http/encryption.js';
import { loadIdentity } from '#src/identity/identity.js';
import { stateFolderPath } from '#src/identity/state-folder.js';

const OWN = join(tmpdir(), 'viaduct-test-');

// Neither keys nor known hosts of the user are read or written, also if a test runs without the runner, which sets it.
if (!(process.env['XDG_STATE_HOME'] ?? '').startsWith(OWN)) {
  const state = mkdtempSync(`${OWN}state-`);
  process.env['XDG_STATE_HOME'] = state;
  process.env['XDG_CONFIG_HOME'] = state;
  process.once('exit', () => rmSync(state, { recursive: true, force: true }));
}

/** The identity of all nodes of all tests, in this process and in others, so that one pin fits every hop. */
export const IDENTITY = await loadIdentity(stateFolderPath(), 'node');
export const PIN = IDENTITY.pin;

/** Trusts exactly the host with this key. */
export function trusting(pin: string): Encryption {
  return {
    checkKey: async (_route, presented) => {
      if (presented !== pin) throw new ViaductError('WRONG_PIN', `the pin is ${presented}, not ${pin}`);
    },
  };
}

/** For the library: encrypted, to nodes of tests. */
export const TRUSTED: EncryptionOptions = { encryption: trusting(PIN) };
/** For the command. */
export const PINNED = ['--pin', PIN] as const;
