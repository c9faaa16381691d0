// One attack, in its own process: `node attacker.js NAME PORT` attacks the node at PORT until it is killed.
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';

const [name = '', portText = ''] = process.argv.slice(2);
const port = Number(portText);
const END = 'Host: localhost\r\n\r\n';

/** A connection that is opened again, after a moment, whenever it ends. @param act called when it is connected */
function again(act: (socket: Socket) => void): void {
  const socket = connect({ port, host: '127.0.0.1' }, () => act(socket));
  socket.on('error', () => {});
  socket.on('close', () => setTimeout(() => again(act), 10));
}

function times(count: number, act: (index: number) => void): void {
  for (let index = 0; index < count; index += 1) act(index);
}

/** Sends a request without end, as soon as the reply to the last one came. */
function ask(target: string, method = 'GET', fields = ''): (socket: Socket) => void {
  const request = `${method} ${target} HTTP/1.1\r\n${fields}${END}`;
  return (socket) => {
    socket.on('data', () => socket.write(request));
    socket.write(request);
  };
}

function readNothing(target: string): (socket: Socket) => void {
  return (socket) => {
    socket.pause();
    socket.write(`GET ${target} HTTP/1.1\r\n${END}`);
  };
}

/** A hop that answers with the same bytes for ever. */
function endlessHop(bytes: string, use: (hop: string) => void): void {
  const server = createServer((socket) => {
    const more = (): void => {
      while (!socket.destroyed && socket.write(bytes));
    };
    socket.on('error', () => {});
    socket.on('drain', more);
    socket.once('data', more);
  });
  server.listen(0, '127.0.0.1', () => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
    use(`@127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
}

const attacks: Record<string, () => void> = {
  'interim replies': () =>
    endlessHop('HTTP/1.1 100 \r\n\r\n'.repeat(4096), (hop) => times(10, () => again(ask(`/${hop}/x`)))),
  'an endless head of a reply': () =>
    endlessHop(`HTTP/1.1 200 \r\n${'X: x\r\n'.repeat(4096)}`, (hop) =>
      times(10, () => again(ask(`/${hop}/x`))),
    ),
  'blanks in fields': () => times(20, () => again(ask('/', 'HEAD', `X: a${' '.repeat(15_900)}b\r\n`))),
  'many fields': () =>
    times(20, () => {
      const fields = Array.from({ length: 2500 }, (_, index) => `${index.toString(36)}:\r\n`).join('');
      again(ask('/file', 'HEAD', fields));
    }),
  'requests sent ahead': () =>
    times(10, () => again((socket) => socket.write(`GET /.x HTTP/1.1\r\n${END}`.repeat(1e5)))),
  'HEAD of a huge folder': () => times(20, () => again(ask('/huge/', 'HEAD'))),
  'listings that nobody reads': () => times(50, () => again(readNothing('/huge/'))),
  'pages of a huge folder, sorted and filtered': () =>
    times(50, (index) => again(ask(`/huge/?sort=size&page=${index + 1}&q=${index % 5}`))),
  'digests that nobody waits for': () =>
    times(7, (index) =>
      again((socket) => {
        socket.write(`HEAD /sparse-${index} HTTP/1.1\r\nWant-Repr-Digest: sha-256=1\r\n${END}`);
        setTimeout(() => socket.destroy(), 200);
      }),
    ),
  'idle connections': () => times(2048, () => again(() => {})),
  'slow heads': () =>
    times(500, () =>
      again((socket) => {
        const timer = setInterval(() => socket.write('x'), 500);
        socket.on('close', () => clearInterval(timer));
        socket.write('GET /');
      }),
    ),
  'readers that read nothing': () => times(400, () => again(readNothing('/large'))),
  'requests that leave': () =>
    times(50, () =>
      again((socket) => {
        socket.write(`GET /large HTTP/1.1\r\n${END}`);
        socket.once('data', () => socket.resetAndDestroy());
      }),
    ),
};

const attack = attacks[name];
if (attack === undefined) throw new Error(`no attack "${name}"`);
attack();
// Sockets that do not read keep no process alive.
setInterval(() => {}, 60_000);
process.stdout.write('attacking\n');
