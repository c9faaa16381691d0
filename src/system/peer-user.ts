import { readFile } from 'node:fs/promises';

const LOOPBACK = '0100007F';

/**
 * The user ID of the process that has connected over 127.0.0.1, from proc_net(5).
 * @param peerPort of the connection there
 * @param ownPort of the connection here
 * @returns undefined where the system does not show it
 */
export async function peerUser(peerPort: number, ownPort: number): Promise<number | undefined> {
  const table = await readFile('/proc/net/tcp', 'latin1').catch(() => '');
  const [from, to] = [peerPort, ownPort].map((port) => `${LOOPBACK}:${hexPort(port)}`);
  for (const line of table.split('\n')) {
    // sl, local address, remote address, state, queues, timer, retransmissions, user
    const [, local, remote, , , , , user] = line.trim().split(/\s+/);
    if (local === from && remote === to && user !== undefined) return Number(user);
  }
  return undefined;
}

function hexPort(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0');
}
