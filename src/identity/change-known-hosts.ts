import { changeStateFile } from './change-state-file.js';
import { KNOWN_HOSTS } from './known-hosts.js';

/**
 * Adds a host, unless its name is known already.
 * @returns false if the name is known with another pin, which stays
 * @throws ViaductError READ_FAILED, WRITE_FAILED or BUSY
 */
export async function addKnownHost(stateFolder: string, name: string, pin: string): Promise<boolean> {
  return changeStateFile(stateFolder, KNOWN_HOSTS, (known) => {
    const hosts = known.lookUp(name);
    if (hosts.length === 0) return { result: true, text: known.textWith(name, pin) };
    return { result: hosts.some((host) => host.pin === pin) };
  });
}

/**
 * Removes the lines of a name.
 * @returns how many there were
 * @throws ViaductError READ_FAILED, WRITE_FAILED or BUSY
 */
export async function removeKnownHost(stateFolder: string, name: string): Promise<number> {
  return changeStateFile(stateFolder, KNOWN_HOSTS, (known) => {
    const result = known.lookUp(name).length;
    return result === 0 ? { result } : { result, text: known.textWithout(name) };
  });
}
