import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { resetOnDeathMissing } from '#src/tcp/reset-on-death.js';
import { Child } from '../../support/processes.js';
import { readToEnd, rawConnect, rawServer } from '../../support/raw.js';

const HIDE_KOFFI = fileURLToPath(new URL('../../support/hide-koffi.js', import.meta.url));
const SRC = new URL('../', import.meta.resolve('#src/tcp/listen.js')).href;

/** Serves every connection with `serve`, a function's body, and then waits to be killed. */
const LISTENER = (serve: string): string => `
  import { listen } from '${SRC}tcp/listen.js';
  import { TcpStream } from '${SRC}tcp/stream.js';
  const { server, address } = await listen({ host: '127.0.0.1', port: 0, backlog: 5 });
  server.on('connection', (socket) => {
    const stream = TcpStream.over(socket);
    ${serve}
  });
  console.log(address.port);`;

/** Dials, says so, and then waits to be killed. What is dialled is not reset unless that is asked for. */
const DIALLER = (port: number, before: string, after: string): string => `
  import { TcpStream } from '${SRC}tcp/stream.js';
  const stream = TcpStream.dialling('127.0.0.1', ${port}, () => {
    ${before}
    stream.write(Buffer.from('hello'));
    ${after}
  });
  stream.attach({ take: () => true, end: () => {} }).resume();`;

function run(t: TestContext, code: string, options: readonly string[] = []): Child {
  return new Child(t, process.execPath, [...options, '--input-type=module', '-e', code]);
}

interface Options {
  readonly node?: readonly string[];
  readonly late?: boolean;
}

/** How the connection of a client ends when the process that serves it is killed; the client may read only after that. */
async function endingAfterKill(t: TestContext, serve: string, options: Options = {}) {
  const child = run(t, LISTENER(serve), options.node);
  const port = await child.until(({ stdout }) => stdout.endsWith('\n') && Number(stdout));
  const socket = await rawConnect(t, { host: '127.0.0.1', port });
  const ending = options.late ? undefined : readToEnd(socket);
  await child.until(({ stdout }) => stdout.includes('served'));
  child.process.kill('SIGKILL');
  await child.ended;
  return ending ?? readToEnd(socket);
}

const withoutKoffi = resetOnDeathMissing();

test('koffi is there wherever CI tests', () => {
  if (process.env['CI'] === 'true' && process.platform === 'linux') assert.equal(withoutKoffi, undefined);
});

test(
  'a process that is killed resets the connections that it has accepted',
  { skip: withoutKoffi },
  async (t) => {
    const { bytes, how } = await endingAfterKill(
      t,
      `stream.write(Buffer.from('half'), () => {}); console.log('served');`,
    );
    assert.equal(how, 'reset');
    assert.equal(bytes.toString(), 'half');
  },
);

for (const [before, after, how] of [
  // Its timer does not run: it is killed before 0.1 s are over, however busy the machine is.
  ['', 'for (;;);', 'end'],
  ['stream.resetOnDeath();', '', 'reset'],
] as const)
  test(
    `a process that is killed: a connection that it has dialled gets ${how}`,
    { skip: withoutKoffi },
    async (t) => {
      let arrive: (how: string) => void;
      const ended = new Promise<string>((resolve) => (arrive = resolve));
      const { hop } = await rawServer(t, (socket) => {
        void readToEnd(socket).then((end) => arrive(end.how));
        socket.once('data', () => child.process.kill('SIGKILL'));
      });
      const child = run(t, DIALLER(hop.port, before, after));
      assert.equal(await ended, how);
    },
  );

test('once the FIN is queued, death destroys nothing', async (t) => {
  // More than the client's kernel takes while it does not read, so the rest is in ours when we die.
  const serve = `stream.write(Buffer.alloc(400_000), () => {}); stream.finish(() => console.log('served'));`;
  const { bytes, how } = await endingAfterKill(t, serve, { late: true });
  assert.deepEqual([bytes.length, how], [400_000, 'end']);
});

test('without koffi it says so, and everything else works', async (t) => {
  const code = `
    import { resetOnDeathMissing } from '${SRC}tcp/reset-on-death.js';
    console.log(resetOnDeathMissing());`;
  const child = run(t, code, ['--import', HIDE_KOFFI]);
  await child.ended;
  assert.match(child.stdout, /koffi is not installed|not available/);
  const serve = `stream.write(Buffer.from('half'), () => {}); console.log('served');`;
  const { bytes } = await endingAfterKill(t, serve, { node: ['--import', HIDE_KOFFI] });
  assert.equal(bytes.toString(), 'half');
});
