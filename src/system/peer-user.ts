import { readFile } from 'node:fs/promises';

/** One table for sockets of each kind: a socket for IPv6 can connect to an IPv4 address too. */
const TABLES = ['/proc/net/tcp', '/proc/net/tcp6'];

/** Of an IPv4 address in the table of IPv6 (`::ffff:`), as 32-bit numbers of this machine. */
const MAPPED = '0000000000000000FFFF0000';

export interface Endpoint {
  /** IPv4. */
  readonly host: string;
  readonly port: number;
}

/**
 * The user ID of the process that has connected over the loopback interface, from proc_net(5).
 * @param peer the end of the connection there, of any address: all of 127.0.0.0/8 is this machine
 * @param own the end here
 * @returns `gone` if no process has that end open any more; undefined where the system does not show it
 */
export async function peerUser(peer: Endpoint, own: Endpoint): Promise<number | 'gone' | undefined> {
  const [from, to] = [formatEndpoint(peer), formatEndpoint(own)];
  for (const table of await Promise.all(TABLES.map((path) => readFile(path, 'latin1').catch(() => '')))) {
    for (const line of table.split('\n')) {
      // sl, local address, remote address, state, queues, timer, retransmissions, user, timeout, inode
      const [, local = '', remote = '', , , , , user, , inode] = line.trim().split(/\s+/);
      if (unmapped(local) !== from || unmapped(remote) !== to || user === undefined) continue;
      // The system shows root as the user of what nobody has open.
      return inode === '0' ? 'gone' : Number(user);
    }
  }
  return undefined;
}

function unmapped(endpoint: string): string {
  return endpoint.startsWith(MAPPED) ? endpoint.slice(MAPPED.length) : endpoint;
}

function formatEndpoint({ host, port }: Endpoint): string {
  const bytes = host.split('.').map(Number).toReversed();
  return `${bytes.map((byte) => hexOf(byte, 2)).join('')}:${hexOf(port, 4)}`;
}

function hexOf(number: number, digits: number): string {
  return number.toString(16).toUpperCase().padStart(digits, '0');
}
