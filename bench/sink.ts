import { connect } from 'node:net';

const BUFFER_BYTES = 1024 * 1024;

/** Sends a message to a local port and drains the reply; rejects unless exactly `expected` bytes and FIN come. */
export function drain(port: number, message: string, expected: number): Promise<{ seconds: number }> {
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
      if (received === expected) return resolve({ seconds: (performance.now() - startedAt) / 1000 });
      reject(new Error(`the chain delivered ${received} of ${expected} bytes`));
    });
    socket.write(message);
  });
}
