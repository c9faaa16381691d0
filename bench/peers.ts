import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startSpliceRelay } from './load.js';
import { type Running, folder, freePort, startListening, startPrinting } from './processes.js';
import { CONNECTIONS, PATIENCE_SECONDS, startNodeProcess } from './viaduct.js';

export type Wire = 'classic' | 'http';

/** A kind of relay: how to start one that leads to `nextPort`. */
export interface Peer {
  /** As `--peers` names it. */
  readonly key: string;
  readonly name: string;
  readonly wires: readonly Wire[];
  /** The program that must be on the machine; Node itself where it needs no other. */
  readonly program: string;
  /** It takes its route from the message; the others always lead to the same next port. */
  readonly routed?: true;
  /** It has a process for each connection, whose context switches are forgotten with it. */
  readonly forks?: true;
  start(nextPort: number, wire: Wire): Promise<Running>;
}

const viaductWith = (key: string, name: string, pump: string): Peer => ({
  key,
  name,
  wires: ['classic', 'http'],
  program: process.execPath,
  routed: true,
  start: () => startNodeProcess({ pump }),
});

/** What all others are compared with. */
export const viaduct = viaductWith('viaduct', 'viaduct', 'splice');

const cRelay: Peer = {
  key: 'c',
  name: 'C splice relay',
  wires: ['classic', 'http'],
  program: process.execPath,
  start: startSpliceRelay,
};

const PIPE_RELAY = fileURLToPath(new URL('pipe-relay.js', import.meta.url));

const pipe: Peer = {
  key: 'pipe',
  name: 'a.pipe(b)',
  wires: ['classic', 'http'],
  program: process.execPath,
  start: (nextPort) => startPrinting(process.execPath, [PIPE_RELAY, String(nextPort)], /port (\d+)/),
};

const socat: Peer = {
  key: 'socat',
  name: 'socat -b 262144',
  wires: ['classic', 'http'],
  program: 'socat',
  forks: true,
  start: async (nextPort) => {
    const port = await freePort();
    const listen = `TCP-LISTEN:${port},bind=127.0.0.1,reuseaddr,fork,nodelay,backlog=4096`;
    return startListening('socat', ['-b', '262144', listen, `TCP:127.0.0.1:${nextPort},nodelay`], port);
  },
};

/** One nginx for each, with what differs between them. */
function nginx(
  key: string,
  name: string,
  wire: Wire,
  block: (port: number, nextPort: number) => string,
): Peer {
  return {
    key,
    name,
    wires: [wire],
    program: 'nginx',
    start: async (nextPort) => {
      const port = await freePort();
      const config = join(folder, `nginx-${port}.conf`);
      writeFileSync(
        config,
        `daemon off; worker_processes auto; pid ${folder}/nginx-${port}.pid; error_log /dev/null;
include /etc/nginx/modules-enabled/*stream*.conf;
events { worker_connections ${CONNECTIONS}; }
${block(port, nextPort)}
`,
      );
      return startListening('nginx', ['-c', config], port);
    },
  };
}

const nginxStream = nginx(
  'nginx-stream',
  'nginx stream, 256 KiB buffers',
  'classic',
  (
    port,
    nextPort,
  ) => `stream { server { listen 127.0.0.1:${port} backlog=4096; proxy_pass 127.0.0.1:${nextPort};
  proxy_buffer_size 256k; proxy_timeout ${PATIENCE_SECONDS}s; tcp_nodelay on; } }`,
);

const nginxHttp = (key: string, name: string, buffering: string): Peer =>
  nginx(
    key,
    name,
    'http',
    (port, nextPort) => `http { access_log off; server { listen 127.0.0.1:${port} backlog=4096;
  location / { proxy_pass http://127.0.0.1:${nextPort}; proxy_http_version 1.1;
    proxy_read_timeout ${PATIENCE_SECONDS}s; ${buffering} } } }`,
  );

const nginxUnbuffered = nginxHttp(
  'nginx-unbuffered',
  'nginx http, proxy_buffering off',
  'proxy_buffering off;',
);
const nginxBuffered = nginxHttp(
  'nginx-buffered',
  'nginx http, 256 KiB buffers',
  'proxy_buffer_size 256k; proxy_buffers 8 256k; proxy_busy_buffers_size 512k; proxy_max_temp_file_size 0;',
);

const haproxy: Peer = {
  key: 'haproxy',
  name: 'HAProxy splice-auto',
  wires: ['classic', 'http'],
  program: 'haproxy',
  start: async (nextPort, wire) => {
    const port = await freePort();
    const config = join(folder, `haproxy-${port}.cfg`);
    writeFileSync(
      config,
      `global
  no strict-limits
  maxconn 8192
defaults
  mode ${wire === 'http' ? 'http' : 'tcp'}
  option splice-auto
  option abortonclose
  maxconn 8192
  backlog 4096
  timeout connect 5s
  timeout client ${PATIENCE_SECONDS}s
  timeout server ${PATIENCE_SECONDS}s
listen relay
  bind 127.0.0.1:${port}
  server next 127.0.0.1:${nextPort}
`,
    );
    return startListening('haproxy', ['-db', '-f', config], port);
  },
};

/** In the order of the tables. */
const all = [
  viaduct,
  cRelay,
  viaductWith('portable', 'viaduct --pump portable', 'portable'),
  haproxy,
  nginxStream,
  nginxUnbuffered,
  nginxBuffered,
  socat,
  pipe,
];

/** All keys, and those of the parts that do not take all. */
export const everyKey: readonly string[] = all.map(({ key }) => key);
export const keysForSmall = everyKey.filter((key) => key !== 'nginx-buffered');
export const keysForIdle = ['viaduct', 'portable', 'haproxy', 'nginx-stream', 'nginx-unbuffered'];

/** Who of `keys` speaks the wire and is on this machine; viaduct always, as the others are compared with it. */
export function peersFor(wire: Wire, keys: readonly string[]): Peer[] {
  const wanted = all.filter(
    (peer) => peer.wires.includes(wire) && (peer === viaduct || keys.includes(peer.key)),
  );
  return wanted.filter(({ program }) => isHere(program));
}

/** Of `keys`, the programs that this machine lacks. */
export function missingPrograms(keys: readonly string[]): string[] {
  return missingOf(all.filter(({ key }) => keys.includes(key)).map(({ program }) => program));
}

/** Of these programs, those that this machine lacks. */
export function missingOf(programs: readonly string[]): string[] {
  return [...new Set(programs)].filter((program) => !isHere(program));
}

function isHere(program: string): boolean {
  return program === process.execPath || spawnSync('which', [program]).status === 0;
}
