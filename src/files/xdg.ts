import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * The folders of viaduct for one kind of files (XDG Base Directory Specification): the one that the environment names, then
 * the usual one. Empty if this user has no home folder.
 * @param variable such as `XDG_STATE_HOME`
 * @param usual below the home folder, such as `.local/state`
 */
export function xdgFolders(variable: string, usual: string, env = process.env): readonly string[] {
  const configured = env[variable] ?? '';
  const home = homeFolder();
  return [
    // A relative path is to be ignored, as the specification has it.
    ...(isAbsolute(configured) ? [configured] : []),
    ...(home === undefined ? [] : [join(home, usual)]),
  ].map((folder) => join(folder, 'viaduct'));
}

function homeFolder(): string | undefined {
  try {
    const home = homedir();
    return isAbsolute(home) ? home : undefined;
  } catch {
    // The user has no entry in the system's list, as in containers.
    return undefined;
  }
}
