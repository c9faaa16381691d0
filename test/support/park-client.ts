import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type TLSSocket, connect } from 'node:tls';
import type { HostHop } from 'viaduct';
import type { KeyAndCertificate } from '#src/identity/certificate.js';
import { type ConnectionProof, proveKey } from '#src/identity/proof.js';
import { type Field, formatHead } from '#src/wire/http/head.js';
import { PARKING_PATH, controlFields, readyFields } from '#src/wire/parking.js';
import { IDENTITY } from './identity.js';
import { rawConnect } from './raw.js';
import type { Cleanup } from './scope.js';

/** A connection to a relay of a node that is written by hand, and all that it received. */
export class Talk {
  readonly socket: Socket;
  heard = '';
  /** It has ended, one way or the other. */
  readonly ended: Promise<void>;
  #isOver = false;
  readonly #watchers = new Set<() => void>();

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => this.#note(() => (this.heard += bytes.toString('latin1'))));
    this.ended = new Promise((resolve) => {
      const over = (): void => {
        this.#note(() => (this.#isOver = true));
        resolve();
      };
      socket.once('end', over);
      socket.once('close', over);
    });
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** What the text so far matches; waits for it, and rejects if the connection ends without it. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.heard);
      if (found !== null) return found;
      if (this.#isOver) throw new Error(`the connection ended before ${String(pattern)}:\n${this.heard}`);
      await new Promise<void>((resolve) => this.#watchers.add(resolve));
    }
  }

  /** The tokens of the connections that the relay has asked for so far. */
  get tokens(): readonly string[] {
    return [...this.heard.matchAll(/^open (\S+)\n/gm)].map(([, token = '']) => token);
  }

  #note(note: () => void): void {
    note();
    for (const watcher of this.#watchers) watcher();
    this.#watchers.clear();
  }
}

/** A TLS connection to a relay, which its key does not matter to. */
export async function tlsTo(
  t: Cleanup,
  hop: HostHop,
): Promise<{ readonly talk: Talk; readonly socket: TLSSocket }> {
  const socket = connect({ ...hop, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
  socket.on('error', () => {});
  t.after(() => socket.destroy());
  await once(socket, 'secureConnect');
  return { socket, talk: new Talk(socket) };
}

/** A proof of a key for this connection. */
export function proofFor(socket: TLSSocket, identity: Pick<KeyAndCertificate, 'key'>): ConnectionProof {
  return proveKey(identity, socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)));
}

export function parkingHead(fields: readonly Field[], first = `GET ${PARKING_PATH} HTTP/1.1`): Buffer {
  return formatHead(first, [['Host', 'localhost'], ...fields]);
}

/** Asks to park; resolves with the whole first head of the answer. */
export async function parkByHand(
  t: Cleanup,
  hop: HostHop,
  name: string | undefined,
  identity: Pick<KeyAndCertificate, 'key'> = IDENTITY,
): Promise<Talk> {
  const { socket, talk } = await tlsTo(t, hop);
  socket.write(parkingHead(controlFields(name, proofFor(socket, identity))));
  await talk.until(/\r\n\r\n/);
  return talk;
}

/** Opens a connection that a relay asked for; resolves with the answer's head. */
export async function readyByHand(t: Cleanup, hop: HostHop, token: string): Promise<Talk> {
  const talk = new Talk(await rawConnect(t, hop));
  talk.socket.write(parkingHead(readyFields(token)));
  await talk.until(/\r\n\r\n/);
  return talk;
}
