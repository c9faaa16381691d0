// An honest client in its own process, from an address of its own: fetches a file of 1 MiB every 100 ms.
// `node honest.js PORT ROUNDS` prints the milliseconds of each fetch as JSON; null for one that failed.
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const FILE_BYTES = 1024 * 1024;
const PAUSE_MS = 100;
/** A client that waits longer than this has given up. */
const PATIENCE_MS = 20_000;

const [port, rounds] = process.argv.slice(2).map(Number);
const times: (number | null)[] = [];
for (let round = 0; round < (rounds ?? 0); round += 1) {
  times.push(await fetchOnce());
  await delay(PAUSE_MS);
}
process.stdout.write(JSON.stringify(times));

function fetchOnce(): Promise<number | null> {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    const socket = connect({ port: port ?? 0, host: '127.0.0.1', localAddress: '127.0.0.2' });
    let received = 0;
    let head = '';
    const end = (isWhole: boolean): void => {
      socket.destroy();
      resolve(isWhole ? performance.now() - startedAt : null);
    };
    socket.setTimeout(PATIENCE_MS, () => end(false));
    socket.on('error', () => end(false));
    socket.on('data', (chunk: Buffer) => {
      if (received === 0) head = chunk.toString('latin1', 0, 12);
      received += chunk.length;
    });
    socket.on('end', () => end(head === 'HTTP/1.1 200' && received > FILE_BYTES));
    socket.write('GET /file HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  });
}
