import type { TestContext } from 'node:test';
import { type TlsOptions, TLSSocket } from 'node:tls';
import type { HostHop } from 'viaduct';
import { parseRequestHead } from '#src/wire/http/head.js';
import { helloOf } from '#src/wire/http/upgrade.js';
import type { Cheat } from './impostors.js';
import { rawServer } from './raw.js';
import { type TestIdentity, testIdentity } from './tunnels.js';

/** A hop that cheats, and all that it got. */
export interface Impostor {
  readonly hop: HostHop;
  /** As it came on each connection, up to where TLS of its own began. */
  readonly got: readonly Buffer[];
  /** What came in TLS of its own. */
  readonly decrypted: Buffer;
}

/** A hop that does this with everybody who asks for a tunnel. */
export async function impostor(
  t: TestContext,
  { act }: Pick<Cheat, 'act'>,
  origin: HostHop,
  identity: TestIdentity = testIdentity(),
): Promise<Impostor> {
  const [got, decrypted]: [Buffer[][], Buffer[]] = [[], []];
  const { hop } = await rawServer(t, (socket) => {
    let head = '';
    const chunks: Buffer[] = [];
    got.push(chunks);
    const listen = (bytes: Buffer): void => {
      chunks.push(bytes);
      const isAsked = head.includes('\r\n\r\n');
      head += bytes.toString('latin1');
      if (!isAsked && head.includes('\r\n\r\n')) act({ socket, origin, speakTls });
    };
    const speakTls = (options: TlsOptions): TLSSocket => {
      socket.off('data', listen).pause();
      const { fields } = parseRequestHead(Buffer.from(head.slice(0, head.indexOf('\r\n\r\n') + 4)));
      socket.unshift(helloOf(fields));
      const secure = new TLSSocket(socket, { isServer: true, ...identity, ...options });
      secure.on('error', () => {});
      secure.on('data', (bytes: Buffer) => decrypted.push(bytes));
      return secure;
    };
    socket.on('data', listen);
  });
  return {
    hop,
    get got() {
      return got.map((chunks) => Buffer.concat(chunks));
    },
    get decrypted() {
      return Buffer.concat(decrypted);
    },
  };
}
