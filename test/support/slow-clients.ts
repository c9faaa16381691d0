import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { connect } from 'node:tls';
import { rawServer } from './raw.js';

/** What a client of TLS 1.3 sends first. */
export async function clientHello(t: TestContext): Promise<Buffer> {
  let resolve: (bytes: Buffer) => void;
  const hello = new Promise<Buffer>((found) => (resolve = found));
  const { hop } = await rawServer(t, (socket) => socket.once('data', (bytes: Buffer) => resolve(bytes)));
  const secure = connect({ ...hop, minVersion: 'TLSv1.3', rejectUnauthorized: false });
  secure.on('error', () => {});
  t.after(() => secure.destroy());
  return hello;
}

/** Writes a byte of `bytes` in each interval, and the last one again and again, until the socket closes. */
export function dripFor(socket: Socket, bytes: Buffer, everyMs: number): void {
  let at = 0;
  const timer = setInterval(() => {
    socket.write(bytes.subarray(at, at + 1));
    at = Math.min(at + 1, bytes.length - 1);
  }, everyMs);
  socket.once('close', () => clearInterval(timer));
}
