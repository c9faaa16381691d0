import type { Socket } from 'node:net';
import { TLSSocket, createSecureContext } from 'node:tls';
import type { HostHop } from 'viaduct';
import { formatHead } from '#src/wire/http/head.js';
import { acceptedFields } from '#src/wire/parking.js';
import { IDENTITY } from './identity.js';
import { rawServer } from './raw.js';
import type { Cleanup } from './scope.js';

/** A relay that accepts every request to park, and then does as it likes. */
export interface HostileRelay {
  readonly hop: HostHop;
  /** Connections that were opened for it and are open now, and the most there were at once. */
  readonly ready: { readonly now: number; readonly most: number; readonly all: number };
}

const PROOF = { key: Buffer.alloc(0), signature: Buffer.alloc(0) };
const ACCEPTED = formatHead(
  'HTTP/1.1 101 Switching Protocols',
  acceptedFields({ kind: 'control', name: undefined, proof: PROOF }),
);
const ACCEPTED_READY = formatHead(
  'HTTP/1.1 101 Switching Protocols',
  acceptedFields({ kind: 'ready', token: '' }),
);

/**
 * @param act gets each control connection that was accepted
 * @param onReady what it does with each connection that a node opens for it @default accepts it and holds it
 */
export async function hostileRelay(
  t: Cleanup,
  act: (control: TLSSocket) => void,
  onReady: (socket: Socket) => void = (socket) => socket.write(ACCEPTED_READY),
): Promise<HostileRelay> {
  const secureContext = createSecureContext({ ...IDENTITY, minVersion: 'TLSv1.3' });
  const ready = { now: 0, most: 0, all: 0 };
  const { hop } = await rawServer(t, (socket) => {
    socket.once('data', (first: Buffer) => {
      if (first[0] !== 0x16) {
        ready.now += 1;
        ready.all += 1;
        ready.most = Math.max(ready.most, ready.now);
        socket.once('close', () => (ready.now -= 1));
        socket.once('end', () => socket.end());
        socket.resume();
        return onReady(socket);
      }
      socket.pause();
      socket.unshift(first);
      const control = new TLSSocket(socket, { isServer: true, secureContext, ALPNProtocols: ['http/1.1'] });
      control.on('error', () => {});
      control.once('data', () => {
        control.resume();
        control.write(ACCEPTED);
        act(control);
      });
    });
  });
  return { hop, ready };
}
