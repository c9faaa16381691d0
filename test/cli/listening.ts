import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import type { HostHop } from 'viaduct';
import type { Child } from '../support/processes.js';
import { settles } from '../support/leaks.js';

const LISTENING = '0A';

/** The address on which a process listens, for one whose log cannot be read; waits until it listens (proc(5)). */
export async function listeningHop({ pid }: Child): Promise<HostHop> {
  let port: number | undefined;
  await settles(
    () => (port = portOf(pid)),
    (found) => found !== undefined,
    () => 'the process does not listen',
  );
  return { host: '127.0.0.1', port: port ?? 0 };
}

function portOf(pid: number): number | undefined {
  const sockets = new Set(
    readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`);
      } catch {
        return ''; // Closed in the meantime.
      }
    }),
  );
  for (const table of ['tcp', 'tcp6']) {
    for (const line of readFileSync(`/proc/${pid}/net/${table}`, 'utf8').split('\n')) {
      const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
      if (state === LISTENING && sockets.has(`socket:[${inode}]`))
        return parseInt(local.split(':')[1] ?? '', 16);
    }
  }
  return undefined;
}
