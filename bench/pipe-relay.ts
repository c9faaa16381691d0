// The relay that everybody writes first: reads the message, dials the next port, a.pipe(b).
//   node pipe-relay.js NEXT_PORT        prints its port
import { connect, createServer } from 'node:net';

const nextPort = Number(process.argv[2]);

const server = createServer({ noDelay: true }, (client) => {
  client.once('data', (message) => {
    const upstream = connect({ port: nextPort, host: '127.0.0.1', noDelay: true });
    upstream.write(message);
    upstream.pipe(client);
    upstream.on('error', () => client.destroy());
    client.on('error', () => upstream.destroy());
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.stdout.write(`port ${address.port}\n`);
});
