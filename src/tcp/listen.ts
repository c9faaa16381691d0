import { type AddressInfo, type Server, createServer } from 'node:net';
import { ViaductError, systemCode } from '../errors.js';
import { descriptorOf } from './handle.js';
import { setResetOnDeath } from './reset-on-death.js';
import { useCongestion } from './congestion.js';
import { limitUnsent } from './unsent-limit.js';

export interface ListenOptions {
  /** Undefined: all addresses, IPv4 and IPv6. */
  readonly host: string | undefined;
  /** 0 takes a free one. */
  readonly port: number;
  readonly backlog: number;
  /** Congestion control of the sockets. @default the system's */
  readonly congestion?: string | undefined;
}

/** A listener whose sockets arrive paused, half-open, without delay, limited in unsent bytes, and reset if this process dies. */
export interface Listener {
  readonly server: Server;
  readonly address: AddressInfo;
}

/**
 * The caller adds its `connection` handler to the server as soon as this resolves.
 * @throws ViaductError LISTEN_FAILED; USAGE as {@link useCongestion}
 */
export function listen(options: ListenOptions): Promise<Listener> {
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true });
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, options)));
    server.listen({ host: options.host, port: options.port, backlog: options.backlog }, () => {
      server.on('error', () => {}); // An accept that failed: the connection is gone, the listener is not.
      const fd = descriptorOf(server);
      setResetOnDeath(fd);
      limitUnsent(fd);
      try {
        if (options.congestion !== undefined) useCongestion(fd, options.congestion);
      } catch (error) {
        server.close();
        return reject(error);
      }
      const address = server.address();
      if (address === null || typeof address === 'string')
        return reject(new Error('a TCP listener has a port'));
      resolve({ server, address });
    });
  });
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there already; choose another port, or 0 for a free one',
  EACCES: 'no permission; ports below 1024 need privileges',
  EADDRNOTAVAIL: 'this machine does not have that address',
  ENOTFOUND: 'the host does not resolve to an address',
};

/** Why a listener could not be opened, as LISTEN_FAILED. */
export function listenError(
  cause: Error,
  { host, port }: Pick<ListenOptions, 'host' | 'port'>,
): ViaductError {
  const code = systemCode(cause) ?? '';
  const where = host === undefined ? `port ${port}` : `${host} port ${port}`;
  return new ViaductError('LISTEN_FAILED', `cannot listen on ${where}: ${REASONS[code] ?? cause.message}`, {
    cause,
  });
}
