import { connect } from 'node:net';
import { TLSSocket, type SecureContext, createSecureContext } from 'node:tls';
import type { HostHop } from 'viaduct';
import type { EncryptionOptions } from '#src/client/http/encryption.js';
import { isDisconnected } from '#src/tcp/handle.js';
import { IDENTITY, PINNED, TRUSTED } from './identity.js';
import { rawServer } from './raw.js';
import type { Cleanup } from './scope.js';

/** A way for a client to reach the last hop of a route. */
export interface Wire {
  readonly name: 'plain' | 'encrypted';
  /** For the library. */
  readonly options: EncryptionOptions;
  /** For the command. */
  readonly args: readonly string[];
  /** Where to reach an origin of the test's own, which speaks plain HTTP. */
  readonly front: (t: Cleanup, origin: HostHop) => Promise<HostHop>;
}

export const PLAIN: Wire = {
  name: 'plain',
  options: { plain: true },
  args: ['--plain'],
  front: async (_, origin) => origin,
};

export const ENCRYPTED: Wire = {
  name: 'encrypted',
  options: TRUSTED,
  args: PINNED,
  front: tlsFront,
};

/** Everything about broken transfers holds over both. */
export const WIRES: readonly Wire[] = [PLAIN, ENCRYPTED];

let context: SecureContext | undefined;

/** A server in TLS before a plain one: bytes, FIN and RST pass both ways. */
async function tlsFront(t: Cleanup, origin: HostHop): Promise<HostHop> {
  const secureContext = (context ??= createSecureContext({ ...IDENTITY, minVersion: 'TLSv1.3' }));
  const { hop } = await rawServer(t, (raw) => {
    const tls = new TLSSocket(raw, { isServer: true, secureContext, ALPNProtocols: ['http/1.1'] });
    const plain = connect({ ...origin, allowHalfOpen: true, noDelay: true });
    t.after(() => plain.destroy());
    tls.on('error', () => {});
    plain.on('error', () => {});
    tls.pipe(plain);
    plain.on('data', (bytes: Buffer) => {
      if (tls.write(bytes)) return;
      plain.pause();
      tls.once('drain', () => plain.resume());
    });
    plain.once('end', () => {
      // libuv can show a reset as an end (src/tcp/stream.ts).
      if (!plain.writableEnded && isDisconnected(plain)) plain.destroy();
      else tls.end();
    });
    plain.once('close', () => {
      if (!plain.readableEnded || !tls.writableEnded) raw.resetAndDestroy();
    });
    raw.once('close', () => {
      if (!plain.destroyed) plain.resetAndDestroy();
    });
  });
  return hop;
}
