// Node's own TLS as a program of few lines: a file to a file, nothing checked.
//   node tls-file.js serve FILE KEY CERT                prints its port
//   node tls-file.js fetch PORT TARGET pipeline|onread
import { closeSync, createReadStream, createWriteStream, openSync, readFileSync, writeSync } from 'node:fs';
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { type ConnectionOptions, connect, createServer } from 'node:tls';

const BUFFER_BYTES = 256 * 1024;
const common = { minVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256' } as const;

const [role, ...args] = process.argv.slice(2);
if (role === 'serve') serve(args[0] ?? '', args[1] ?? '', args[2] ?? '');
else await fetchFile(Number(args[0]), args[1] ?? '', args[2] === 'onread');

function serve(file: string, key: string, cert: string): void {
  const options = { ...common, key: readFileSync(key), cert: readFileSync(cert) };
  const server = createServer(options, (socket) => {
    socket.on('error', () => {});
    pipeline(createReadStream(file, { highWaterMark: BUFFER_BYTES }), socket).catch(() => {});
  });
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    if (address !== null && typeof address === 'object') process.stdout.write(`port ${address.port}\n`);
  });
}

async function fetchFile(port: number, target: string, usesOnread: boolean): Promise<void> {
  const options: ConnectionOptions = { ...common, host: '127.0.0.1', port, rejectUnauthorized: false };
  if (!usesOnread) return pipeline(connect(options), createWriteStream(target));
  const file = openSync(target, 'w');
  const write = (bytes: number, buffer: Uint8Array): boolean => {
    for (let at = 0; at < bytes;) at += writeSync(file, buffer, at, bytes - at);
    return true;
  };
  const onread = { buffer: Buffer.allocUnsafeSlow(BUFFER_BYTES), callback: write };
  // The types know `onread` of sockets without TLS only.
  const socket = connect(Object.assign(options, { onread }));
  await once(socket, 'end');
  socket.end();
  closeSync(file);
}
