// What the encrypted part compares viaduct with: private servers of other programs, on free ports of the loopback.
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { missingOf } from './peers.js';
import { type Running, folder, freePort, runToEnd, startListening } from './processes.js';

/** The key and certificate of all TLS servers here. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

export async function makeCertificate(): Promise<Certificate> {
  const made = { key: join(folder, 'tls.key'), cert: join(folder, 'tls.crt') };
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const subject = ['-subj', '/CN=bench', '-addext', 'subjectAltName=IP:127.0.0.1'];
  await runToEnd('openssl', ['req', '-x509', ...curve, ...subject, '-keyout', made.key, '-out', made.cert]);
  return made;
}

/** An HTTPS origin that serves `root` in TLS 1.3. */
export async function startHttpsOrigin(root: string, { key, cert }: Certificate): Promise<Running> {
  const port = await freePort();
  const config = join(folder, `nginx-${port}.conf`);
  writeFileSync(
    config,
    `daemon off; worker_processes auto; pid ${folder}/nginx-${port}.pid; error_log /dev/null; user ${userInfo().username};
events {}
http { access_log off; server { listen 127.0.0.1:${port} ssl; root ${root};
  ssl_certificate ${cert}; ssl_certificate_key ${key}; ssl_protocols TLSv1.3; output_buffers 2 256k; } }
`,
  );
  return startListening('nginx', ['-c', config], port);
}

/** A proxy for CONNECT that asks the next proxy, if there is one, to connect in its place. */
export async function startConnectProxy(next: Running | undefined): Promise<Running> {
  const port = await freePort();
  const config = join(folder, `tinyproxy-${port}.conf`);
  const upstream = next === undefined ? '' : `Upstream http 127.0.0.1:${next.port}`;
  writeFileSync(
    config,
    `Port ${port}\nListen 127.0.0.1\nTimeout 600\nLogLevel Critical\nDisableViaHeader Yes\n${upstream}\n`,
  );
  return startListening('tinyproxy', ['-d', '-c', config], port);
}

/** Keys and files of configuration that ssh and sshd share. */
export interface Ssh {
  /** For the client, with its own default ciphers. */
  readonly config: string;
  /** The same with AES-128-GCM, for all hosts of a route. */
  readonly configAes: string;
  start(): Promise<Running>;
}

export async function prepareSsh(): Promise<Ssh> {
  const [clientKey, hostKey] = [join(folder, 'ssh-client'), join(folder, 'ssh-host')];
  for (const key of [clientKey, hostKey])
    await runToEnd('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  const config = join(folder, 'ssh-config');
  const configAes = join(folder, 'ssh-config-aes');
  const common = `Host *
  User ${userInfo().username}
  IdentityFile ${clientKey}
  IdentitiesOnly yes
  UserKnownHostsFile ${join(folder, 'ssh-known-hosts')}
  StrictHostKeyChecking accept-new
  LogLevel ERROR
`;
  writeFileSync(config, common);
  writeFileSync(configAes, `${common}  Ciphers aes128-gcm@openssh.com\n`);
  return { config, configAes, start: () => startSshServer(hostKey, `${clientKey}.pub`) };
}

async function startSshServer(hostKey: string, authorizedKeys: string): Promise<Running> {
  const port = await freePort();
  const config = join(folder, `sshd-${port}.conf`);
  writeFileSync(
    config,
    `Port ${port}
ListenAddress 127.0.0.1
HostKey ${hostKey}
AuthorizedKeysFile ${authorizedKeys}
PidFile none
UsePAM no
StrictModes no
PermitRootLogin prohibit-password
PasswordAuthentication no
PrintMotd no
LogLevel ERROR
Subsystem sftp internal-sftp
`,
  );
  // It starts itself anew for each connection, by an absolute path.
  const sshd = spawnSync('which', ['sshd'], { encoding: 'utf8' }).stdout.trim();
  const args = ['-f', config, '-D', '-e'];
  if (process.getuid?.() !== 0 || existsSync('/run/sshd')) return startListening(sshd, args, port);
  // As root it wants this folder, which only a system with a running sshd has: in a namespace nothing else sees it.
  const inNamespace = 'mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd && exec "$0" "$@"';
  return startListening('unshare', ['--mount', 'sh', '-c', inNamespace, sshd, ...args], port);
}

/** Which cipher a program reports. @throws if it fails or reports none */
export function reportedCipher(program: string, args: readonly string[], pattern: RegExp): string {
  const { stderr } = spawnSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] });
  const cipher = pattern.exec(stderr)?.[1];
  if (cipher === undefined) throw new Error(`${program} ${args.join(' ')} reports no cipher: ${stderr}`);
  return cipher;
}

/** Whether all of these are here; a message for each that is not. */
export function haveAll(programs: readonly string[], what: string): boolean {
  const missing = missingOf(programs);
  for (const program of missing)
    process.stderr.write(`${program} is not on this machine: ${what} left out\n`);
  return missing.length === 0;
}
