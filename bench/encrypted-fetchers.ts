import { spawnSync } from 'node:child_process';
import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Certificate,
  haveAll,
  makeCertificate,
  prepareSsh,
  reportedCipher,
  startConnectProxy,
  startHttpsOrigin,
} from './encrypted-programs.js';
import { type Running, startPrinting } from './processes.js';
import { PROGRAM, STATE, startNodeProcess } from './viaduct.js';

/** A program and its arguments. */
type Command = readonly [string, ...string[]];

/** A way to save the file, over a number of relays. */
export interface Fetcher {
  readonly name: string;
  /** What the bytes are encrypted with. */
  readonly cipher: string;
  /** It can only do without relays. */
  readonly isDirect?: boolean;
  /** Over relays it has processes that it does not wait for, so their CPU time is unknown. */
  readonly leavesProcesses?: true;
  command(relays: number, target: string): Command;
}

/** What all others are compared with. */
export const VERIFIED = 'viaduct get';
export const UNVERIFIED = 'viaduct get --no-verify';

const AES_128_GCM = 'TLS_AES_128_GCM_SHA256';

/** Servers of one kind: an origin and as many relays as the longest chain has. */
interface Servers {
  readonly fetchers: readonly Fetcher[];
  readonly running: readonly Running[];
}

/** Starts all servers for `file`, those whose programs are missing excepted. Stop them after use. */
export async function startServers(file: string, mostRelays: number): Promise<Servers> {
  const running: Running[] = [];
  /** Origin first. */
  const several = async (start: (previous: Running | undefined) => Promise<Running>): Promise<Running[]> => {
    const started: Running[] = [];
    while (started.length <= mostRelays) {
      const one = await start(started.at(-1));
      started.push(one);
      running.push(one);
    }
    return started;
  };
  try {
    const fetchers = [
      ...viaductFetchers(await several(() => startNodeProcess({ root: dirname(file) })), file),
    ];
    if (haveAll(['openssl'], 'TLS of Node and curl')) {
      const certificate = await makeCertificate();
      const { key, cert } = certificate;
      const serve = [TLS_FILE, 'serve', file, key, cert];
      const server = await startPrinting(process.execPath, serve, /port (\d+)/);
      running.push(server);
      fetchers.push(...nodeFetchers(server.port));
      if (haveAll(['curl', 'nginx'], 'curl')) {
        const origin = await startHttpsOrigin(dirname(file), certificate);
        running.push(origin);
        const isProxied = mostRelays > 0 && haveAll(['tinyproxy'], 'curl over relays');
        // The first is next to the origin and connects to it.
        const proxies = isProxied ? await several(startConnectProxy) : [];
        fetchers.push(...curlFetchers(origin, proxies, certificate, basename(file)));
      }
    }
    if (haveAll(['ssh', 'sshd', 'scp', 'ssh-keygen'], 'scp and rsync')) {
      const ssh = await prepareSsh();
      const servers = await several(() => ssh.start());
      for (const config of [ssh.config, ssh.configAes]) fetchers.push(...sshFetchers(servers, config, file));
    }
    return { fetchers, running };
  } catch (error) {
    await Promise.all(running.map((one) => one.stop()));
    throw error;
  }
}

/** From the client's neighbour to the last one before the origin, which is the first of the list. */
const chainOf = (servers: readonly Running[], relays: number): readonly Running[] =>
  servers.slice(1, relays + 1).toReversed();

function viaductFetchers(nodes: readonly Running[], file: string): Fetcher[] {
  const pin = spawnSync(process.execPath, [PROGRAM, 'identity', '--state', STATE], { encoding: 'utf8' });
  const fetcher = (name: string, ...options: string[]): Fetcher => ({
    name,
    cipher: AES_128_GCM,
    command: (relays, target) => {
      const hops = [...chainOf(nodes, relays), ...nodes.slice(0, 1)].map(({ port }) => `127.0.0.1:${port}`);
      const where = `${hops.join('/@')}/${basename(file)}`;
      const trust = ['--pin', pin.stdout.trim(), '--state', STATE];
      return [process.execPath, PROGRAM, 'get', '-q', ...trust, ...options, where, '-o', target];
    },
  });
  return [fetcher(VERIFIED), fetcher(UNVERIFIED, '--no-verify')];
}

const TLS_FILE = fileURLToPath(new URL('tls-file.js', import.meta.url));

function nodeFetchers(port: number): Fetcher[] {
  const fetcher = (name: string, how: string): Fetcher => ({
    name,
    cipher: AES_128_GCM,
    isDirect: true,
    command: (_, target) => [process.execPath, TLS_FILE, 'fetch', String(port), target, how],
  });
  return [fetcher('Node tls, pipeline()', 'pipeline'), fetcher('Node tls, onread', 'onread')];
}

function curlFetchers(
  origin: Running,
  proxies: readonly Running[],
  { cert }: Certificate,
  name: string,
): Fetcher[] {
  const url = `https://127.0.0.1:${origin.port}/${name}`;
  const fetcher = (...ciphers: string[]): Fetcher => {
    const options = ['-sSf', '--cacert', cert, ...ciphers];
    return {
      name: 'curl, HTTPS over CONNECT',
      cipher: reportedCipher('curl', [...options, '-vI', url], /SSL connection using \S+ \/ (\S+)/),
      isDirect: proxies.length === 0,
      command: (relays, target) => {
        const proxy = relays > 0 ? ['--proxy', `http://127.0.0.1:${proxies[relays - 1]?.port}`] : [];
        return ['curl', ...options, ...proxy, '-o', target, url];
      },
    };
  };
  return [fetcher(), fetcher('--tls13-ciphers', AES_128_GCM)];
}

function sshFetchers(servers: readonly Running[], config: string, file: string): Fetcher[] {
  const origin = servers[0]?.port ?? 0;
  const jump = (relays: number): string[] =>
    relays === 0
      ? []
      : [
          '-J',
          chainOf(servers, relays)
            .map(({ port }) => `127.0.0.1:${port}`)
            .join(),
        ];
  const trial = ['-v', '-F', config, '-o', 'LogLevel=DEBUG1', '-p', String(origin), '127.0.0.1', 'true'];
  const cipher = reportedCipher('ssh', trial, /server->client cipher: (\S+)/);
  const scp: Fetcher = {
    name: 'scp -J',
    cipher,
    leavesProcesses: true,
    command: (relays, target) => {
      const from = ['-P', String(origin), `127.0.0.1:${file}`];
      return ['scp', '-q', '-F', config, ...jump(relays), ...from, target];
    },
  };
  const rsync: Fetcher = {
    name: 'rsync -e "ssh -J"',
    cipher,
    leavesProcesses: true,
    command: (relays, target) => {
      const shell = ['ssh', '-F', config, '-p', origin, ...jump(relays)].join(' ');
      return ['rsync', '-e', shell, `127.0.0.1:${file}`, target];
    },
  };
  return haveAll(['rsync'], 'rsync') ? [scp, rsync] : [scp];
}
