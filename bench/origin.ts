// An origin with nothing in it but writes: answers any first message with N bytes from memory, then FIN; one
// that is HTTP with the head of a node's reply before them.
//   node origin.js BYTES        prints its port
import { createServer } from 'node:net';

const size = Number(process.argv[2]);
const block = Buffer.alloc(1024 * 1024, 'viaduct');

const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  socket.on('error', () => socket.destroy());
  socket.once('data', (message) => {
    if (message.toString('latin1').startsWith('GET ')) {
      socket.write(`HTTP/1.1 200 OK\r\nViaduct: 1\r\nContent-Length: ${size}\r\nConnection: close\r\n\r\n`);
    }
    let left = size;
    const more = (): void => {
      if (left === 0) return void socket.end();
      const chunk = block.subarray(0, Math.min(left, block.length));
      left -= chunk.length;
      socket.write(chunk, more);
    };
    more();
  });
  socket.on('end', () => socket.destroySoon());
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.stdout.write(`port ${address.port}\n`);
});
