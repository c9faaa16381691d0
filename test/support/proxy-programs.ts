import { chmodSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { TestContext } from 'node:test';
import type { HostHop } from 'viaduct';
import { Child } from './processes.js';
import { freePort } from './restartable.js';
import { tempFolder } from './temp.js';

export const LOGIN = { user: 'anna', password: 'sesame' };

export interface ProxyManner {
  /** It wants user and password. */
  readonly login?: true;
  /** It refuses every target. */
  readonly refuses?: true;
}

/** A proxy that we did not write. */
export interface ProxyProgram {
  readonly program: string;
  readonly scheme: 'http' | 'socks5h';
  /** How it can be started, besides open for everybody. */
  readonly can: readonly (keyof ProxyManner)[];
  /** Ends it, with its own children. @default SIGTERM */
  readonly signal?: NodeJS.Signals;
  /** Its arguments; files are written into its folder. */
  readonly args: (port: number, folder: string, manner: ProxyManner) => readonly string[];
}

function written(folder: string, name: string, lines: readonly (string | false | undefined)[]): string {
  const path = join(folder, name);
  writeFileSync(path, `${lines.filter((line) => typeof line === 'string').join('\n')}\n`);
  return path;
}

const { user, password } = LOGIN;

const TINYPROXY: ProxyProgram = {
  program: 'tinyproxy',
  scheme: 'http',
  can: ['login', 'refuses'],
  args: (port, folder, { login, refuses }) => {
    const config = written(folder, 'tinyproxy.conf', [
      `Port ${port}`,
      'Listen 127.0.0.1',
      'Timeout 60',
      'MaxClients 100',
      login && `BasicAuth ${user} ${password}`,
      refuses && 'ConnectPort 443',
    ]);
    return ['-d', '-c', config];
  },
};

const SQUID: ProxyProgram = {
  program: 'squid',
  // Otherwise it takes more than a second. Its helpers end with their input.
  signal: 'SIGKILL',
  scheme: 'http',
  can: ['login', 'refuses'],
  args: (port, folder, { login, refuses }) => {
    // It reads its helper as another user.
    chmodSync(folder, 0o755);
    const helper = written(folder, 'helper', [
      'while read user password; do',
      `  if [ "$user $password" = "${user} ${password}" ]; then echo OK; else echo ERR; fi`,
      'done',
    ]);
    const config = written(folder, 'squid.conf', [
      `http_port 127.0.0.1:${port}`,
      login && `auth_param basic program /bin/sh ${helper}`,
      login && 'acl known proxy_auth REQUIRED',
      login && 'http_access deny !known',
      refuses ? 'http_access deny all' : 'http_access allow CONNECT',
      'http_access deny all',
      'cache deny all',
      'access_log none',
      'cache_log /dev/null',
      'pid_filename none',
      'pinger_enable off',
      'shutdown_lifetime 0 seconds',
    ]);
    return ['-N', '-f', config];
  },
};

const MICROSOCKS: ProxyProgram = {
  program: 'microsocks',
  scheme: 'socks5h',
  can: ['login'],
  args: (port, _, { login }) => [
    '-i',
    '127.0.0.1',
    '-p',
    String(port),
    ...(login ? ['-u', user, '-P', password] : []),
  ],
};

const DANTE: ProxyProgram = {
  program: 'danted',
  scheme: 'socks5h',
  can: ['refuses'],
  args: (port, folder, { refuses }) => {
    const config = written(folder, 'danted.conf', [
      'logoutput: stderr',
      `internal: 127.0.0.1 port = ${port}`,
      'external: 127.0.0.1',
      'clientmethod: none',
      'socksmethod: none',
      'client pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }',
      `socks ${refuses ? 'block' : 'pass'} { from: 0.0.0.0/0 to: 0.0.0.0/0 }`,
    ]);
    return ['-f', config, '-p', join(folder, 'danted.pid')];
  },
};

export const PROXY_PROGRAMS: readonly ProxyProgram[] = [TINYPROXY, SQUID, MICROSOCKS, DANTE];

const POLL_MS = 20;

/** Starts a proxy on a free port, and waits until it accepts connections. It ends with the test. */
export async function startProxy(
  t: TestContext,
  { program, args, signal = 'SIGTERM' }: ProxyProgram,
  manner: ProxyManner = {},
): Promise<{ readonly hop: HostHop; readonly end: () => Promise<void> }> {
  const hop = { host: '127.0.0.1', port: await freePort() };
  const folder = tempFolder(t);
  // Registered first: a signal lets it end its own children.
  const end = async (): Promise<void> => {
    child.process.kill(signal);
    await Promise.race([child.ended, delay(1000)]);
  };
  t.after(end);
  const child = new Child(t, program, args(hop.port, folder, manner), { cwd: folder });
  let hasEnded = false;
  void child.ended.then(() => (hasEnded = true));
  while (!(await accepts(hop))) {
    if (hasEnded) throw new Error(`${program} ended: ${child.stdout}${child.stderr}`);
    await delay(POLL_MS);
  }
  return { hop, end };
}

async function accepts(hop: HostHop): Promise<boolean> {
  const socket = connect(hop);
  const isOpen = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return isOpen;
}
