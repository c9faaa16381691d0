import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Running, freePort, startListening, startPrinting } from './processes.js';

/** A kind of relay: how to start one that leads to `nextPort`. */
export interface Peer {
  readonly name: string;
  /** What it is asked with: a classic message by a sink of ours, or HTTP by curl. */
  readonly wire: 'classic' | 'http';
  /** The program that must be on the machine. */
  readonly program: string;
  /** It takes its route from the message; the others always lead to the same next port. */
  readonly routed: boolean;
  start(nextPort: number): Promise<Running>;
}

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'viaduct-bench-'));

export const viaduct = (wire: Peer['wire']): Peer => ({
  name: 'viaduct',
  wire,
  program: process.execPath,
  routed: true,
  start: () => startPrinting(process.execPath, [here('../../dist/cli/main.js'), 'server', '0'], /\]:(\d+)/),
});

/** Compiled once; its source stands beside ours. */
const spliceRelay = (wire: Peer['wire']): Peer => ({
  name: 'C splice',
  wire,
  program: 'cc',
  routed: false,
  start: (nextPort) => {
    const program = join(folder, 'splice-relay');
    if (!existsSync(program)) {
      const source = here('../../bench/splice-relay.c');
      execFileSync('cc', ['-O2', '-pthread', '-o', program, source]);
    }
    return startPrinting(program, [String(nextPort)], /port (\d+)/);
  },
});

const portable = (wire: Peer['wire']): Peer => ({
  ...viaduct(wire),
  name: 'viaduct --pump portable',
  start: () =>
    startPrinting(
      process.execPath,
      [here('../../dist/cli/main.js'), 'server', '0', '--pump', 'portable'],
      /\]:(\d+)/,
    ),
});

const pipe: Peer = {
  name: 'a.pipe(b)',
  wire: 'classic',
  program: process.execPath,
  routed: false,
  start: (nextPort) =>
    startPrinting(process.execPath, [here('pipe-relay.js'), String(nextPort)], /port (\d+)/),
};

const socat: Peer = {
  name: 'socat -b 262144',
  wire: 'classic',
  program: 'socat',
  routed: false,
  start: async (nextPort) => {
    const port = await freePort();
    const listen = `TCP-LISTEN:${port},bind=127.0.0.1,reuseaddr,fork,nodelay`;
    return startListening('socat', ['-b', '262144', listen, `TCP:127.0.0.1:${nextPort},nodelay`], port);
  },
};

/** One nginx for each, with what differs between them. */
function nginx(name: string, wire: Peer['wire'], block: (port: number, nextPort: number) => string): Peer {
  return {
    name,
    wire,
    program: 'nginx',
    routed: false,
    start: async (nextPort) => {
      const port = await freePort();
      const config = join(folder, `nginx-${port}.conf`);
      writeFileSync(
        config,
        `daemon off; worker_processes 1; pid ${folder}/nginx-${port}.pid; error_log /dev/null;
include /etc/nginx/modules-enabled/*stream*.conf;
events { worker_connections 1024; }
${block(port, nextPort)}
`,
      );
      return startListening('nginx', ['-c', config], port);
    },
  };
}

const nginxStream = nginx(
  'nginx stream',
  'classic',
  (port, nextPort) => `stream { server { listen 127.0.0.1:${port}; proxy_pass 127.0.0.1:${nextPort};
  proxy_buffer_size 256k; tcp_nodelay on; } }`,
);

const nginxHttp = (name: string, buffering: string): Peer =>
  nginx(
    name,
    'http',
    (port, nextPort) => `http { access_log off; server { listen 127.0.0.1:${port};
  location / { proxy_pass http://127.0.0.1:${nextPort}; proxy_http_version 1.1; ${buffering} } } }`,
  );

const nginxUnbuffered = nginxHttp('nginx http, proxy_buffering off', 'proxy_buffering off;');
const nginxBuffered = nginxHttp(
  'nginx http, 256 KiB buffers',
  'proxy_buffer_size 256k; proxy_buffers 8 256k; proxy_busy_buffers_size 512k; proxy_max_temp_file_size 0;',
);

const haproxy: Peer = {
  name: 'HAProxy splice-auto',
  wire: 'classic',
  program: 'haproxy',
  routed: false,
  start: async (nextPort) => {
    const port = await freePort();
    const config = join(folder, `haproxy-${port}.cfg`);
    writeFileSync(
      config,
      `global
  nbthread 1
defaults
  mode tcp
  option splice-auto
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen relay
  bind 127.0.0.1:${port}
  server next 127.0.0.1:${nextPort}
`,
    );
    return startListening('haproxy', ['-db', '-f', config], port);
  },
};

/** What viaduct is compared with on one wire, as far as this machine has it. */
export function peersHere(wire: Peer['wire']): {
  readonly present: readonly Peer[];
  readonly missing: readonly string[];
} {
  const own = [spliceRelay(wire), portable(wire)];
  const all = [...own, pipe, socat, nginxStream, haproxy, nginxUnbuffered, nginxBuffered].filter(
    (peer) => peer.wire === wire,
  );
  const has = ({ program }: Peer): boolean =>
    spawnSync('which', [program]).status === 0 || program === process.execPath;
  return { present: all.filter(has), missing: all.filter((peer) => !has(peer)).map(({ name }) => name) };
}
