import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { HostHop } from 'viaduct';
import { rawServer } from './raw.js';

/** A server that is no node, and what came on each connection. */
export interface Stranger {
  readonly hop: HostHop;
  readonly got: readonly string[];
  /** Resolves when a whole HTTP head has come on any connection, or its server has spoken first. */
  readonly asked: Promise<void>;
}

interface Manner {
  /** Sent at once. */
  readonly greeting?: string;
  /** Sent after the first bytes. */
  readonly answer?: string;
  /** FIN after the answer. @default it stays open and listens */
  readonly ends?: true;
}

const UPGRADE = 'Connection: Upgrade\r\nUpgrade: ';

export const STRANGERS: Readonly<Record<string, Manner>> = {
  ssh: { greeting: 'SSH-2.0-OpenSSH_9.2\r\n' },
  smtp: { greeting: '220 mail.example ESMTP\r\n' },
  'one that answers nothing': {},
  'a web server: 200': { answer: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok' },
  'a web server: 400': { answer: 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n' },
  'a web server: websocket': { answer: `HTTP/1.1 101 Switching Protocols\r\n${UPGRADE}websocket\r\n\r\n` },
  'a web server: 101 for any protocol': {
    answer: `HTTP/1.1 101 Switching Protocols\r\n${UPGRADE}viaduct\r\n\r\n`,
  },
  'a web server: bare 101': { answer: 'HTTP/1.1 101 x\r\nViaduct: 1\r\n\r\n' },
  'a web server: 103 and no more': { answer: 'HTTP/1.1 103 Early Hints\r\nViaduct: 1\r\n\r\n' },
  'a server of TLS only': { answer: '\x15\x03\x03\x00\x02\x02\x46', ends: true },
  'line by line': { answer: '500 unknown command\r\n' },
};

export async function stranger(t: TestContext, { greeting, answer, ends }: Manner): Promise<Stranger> {
  const chunks: Buffer[][] = [];
  let isAsked: () => void;
  const asked = new Promise<void>((resolve) => (isAsked = resolve));
  const { hop } = await rawServer(t, (socket: Socket) => {
    const mine: Buffer[] = [];
    chunks.push(mine);
    if (greeting !== undefined) socket.write(greeting, 'latin1', () => isAsked());
    socket.once('data', () => {
      if (answer !== undefined) socket.write(answer, 'latin1');
      if (ends) socket.end();
    });
    socket.on('data', (bytes: Buffer) => {
      mine.push(bytes);
      if (bytes.includes('\r\n\r\n')) isAsked();
    });
  });
  return {
    hop,
    get got() {
      return chunks.map((mine) => Buffer.concat(mine).toString('latin1'));
    },
    asked,
  };
}
