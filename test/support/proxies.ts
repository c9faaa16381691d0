import { type Socket, connect } from 'node:net';
import type { TestContext } from 'node:test';
import { type HostHop, type ProxyConfig, formatHop } from 'viaduct';
import { rawServer } from './raw.js';

/** A server that answers each message with the next of its replies, whatever it is, and keeps what it got. */
export interface ScriptedProxy {
  readonly hop: HostHop;
  /** All that came, on all connections. */
  readonly got: () => string;
  readonly connections: () => number;
}

/** What follows a reply. `cut`: RST. */
type End = 'stays' | 'ends' | 'cut';

/**
 * A proxy that answers each chunk with its next reply, and after the last one does what `end` says.
 * @param replies latin1
 */
export async function scriptedProxy(
  t: TestContext,
  replies: readonly string[],
  end: End = 'stays',
): Promise<ScriptedProxy> {
  let got = '';
  let connections = 0;
  const { hop } = await rawServer(t, (socket: Socket) => {
    connections += 1;
    const left = [...replies];
    // A reset right behind bytes may look like an end (src/tcp/stream.ts).
    socket.on('end', () => socket.destroy());
    socket.on('data', (bytes: Buffer) => {
      got += bytes.toString('latin1');
      const reply = left.shift();
      const isLast = left.length === 0;
      const finish = (): void => {
        if (!isLast) return;
        if (end === 'ends') socket.end();
        if (end === 'cut') socket.resetAndDestroy();
      };
      if (reply === undefined || reply === '') finish();
      else socket.write(reply, 'latin1', finish);
    });
  });
  return { hop, got: () => got, connections: () => connections };
}

/** A working HTTP proxy, and the targets that it was asked for. */
export interface ConnectProxy {
  readonly hop: HostHop;
  readonly targets: readonly string[];
}

/**
 * An HTTP proxy that connects to where it is asked for, or to `to` instead.
 * @param answer of a target, such as `502 Bad Gateway`; undefined: a tunnel
 */
export async function connectProxy(
  t: TestContext,
  options: {
    readonly to?: HostHop;
    readonly answer?: (target: string) => string | undefined;
  } = {},
): Promise<ConnectProxy> {
  const targets: string[] = [];
  const { hop } = await rawServer(t, (client) => {
    let head = '';
    const leave = (): void => void client.destroy();
    const take = (bytes: Buffer): void => {
      head += bytes.toString('latin1');
      if (!head.endsWith('\r\n\r\n')) return;
      client.off('data', take).off('end', leave).pause();
      const [, target = '', host = '', port = ''] = /^CONNECT ((\S+):(\d+)) HTTP\/1\.1\r\n/.exec(head) ?? [];
      targets.push(target);
      const refused = options.answer?.(target);
      if (refused !== undefined) {
        client.end(`HTTP/1.1 ${refused}\r\nContent-Length: 0\r\n\r\n`);
        return;
      }
      const to = options.to ?? { host: host.replace(/[[\]]/g, ''), port: Number(port) };
      const upstream = connect({ ...to, allowHalfOpen: true, noDelay: true });
      t.after(() => upstream.destroy());
      upstream.once('connect', () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n');
        client.pipe(upstream).pipe(client);
      });
      upstream.on('error', leave);
      client.once('close', () => upstream.destroy());
      upstream.once('close', (isBroken) => isBroken && client.resetAndDestroy());
    };
    client.on('data', take).on('end', leave);
  });
  return { hop, targets };
}

/** A proxy as the options have it. */
export function proxyAt(
  hop: HostHop,
  scheme: ProxyConfig['scheme'] = 'http',
  more: Partial<ProxyConfig> = {},
): ProxyConfig {
  return { scheme, hop, ...more };
}

/** As `--proxy` has it. @param login such as `user:password` */
export function proxyUrl(scheme: string, hop: HostHop, login?: string): string {
  return `${scheme}://${login === undefined ? '' : `${login}@`}${formatHop(hop)}`;
}
