import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { promisify } from 'node:util';

const BUFFER_BYTES = 1024 * 1024;

/**
 * Sends a message to a local port and drains the reply; seconds from dialling to FIN. Rejects unless exactly
 * `expected` bytes come.
 */
export function drain(port: number, message: string, expected: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
    let received = 0;
    const socket = connect({
      host: '127.0.0.1',
      port,
      noDelay: true,
      onread: {
        buffer,
        callback: (length) => {
          received += length;
          return true;
        },
      },
    });
    socket.on('error', reject);
    socket.on('end', () => {
      if (received === expected) return resolve((performance.now() - startedAt) / 1000);
      reject(new Error(`the chain delivered ${received} of ${expected} bytes`));
    });
    socket.write(message);
  });
}

/** Fetches a URL with curl and throws the bytes away; seconds as curl counts them, its start left out. */
export async function curl(url: string, expected: number): Promise<number> {
  const args = ['-sS', '-o', '/dev/null', '-w', '%{http_code} %{size_download} %{time_total}', url];
  const { stdout } = await promisify(execFile)('curl', args);
  const [status, size, seconds] = stdout.split(' ').map(Number);
  if (status === 200 && size === expected && seconds !== undefined) return seconds;
  throw new Error(`curl got status ${status} and ${size} of ${expected} bytes from ${url}`);
}
