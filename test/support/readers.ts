import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { connect } from 'node:tls';
import type { NodeOptions } from 'viaduct';
import { messageOf } from './fetch.js';
import { type WireReply, parseReply, requestOf } from './http.js';
import { type TestNode, testNode } from './nodes.js';
import { type Ending, rawConnect, readToEnd } from './raw.js';
import { tempFolder } from './temp.js';
import { type TestIdentity, testIdentity } from './tunnels.js';

/** How a client reaches the origin. Only the last two can carry the proof of a key. */
export const DIALECTS = ['classic', 'HTTP', 'HTTP over a relay', 'HTTPS', 'tunnel'] as const;
export type Dialect = (typeof DIALECTS)[number];

/** Clients with a key of their own, made once: that takes a while. */
export const KEYS = {
  alice: testIdentity(),
  bob: testIdentity(),
  stranger: testIdentity(),
} satisfies Record<string, TestIdentity>;

/** A tree with `a.txt`, `photos/p.jpg` and `photos/2024/n.jpg`. */
export function treeToRead(t: TestContext): string {
  const root = tempFolder(t);
  mkdirSync(join(root, 'photos', '2024'), { recursive: true });
  writeFileSync(join(root, 'a.txt'), 'a text');
  writeFileSync(join(root, 'photos', 'p.jpg'), 'a photo');
  writeFileSync(join(root, 'photos', '2024', 'n.jpg'), 'a newer one');
  return root;
}

/** A list of authorized keys in a folder of its own. */
export function authorizedFile(t: TestContext, text: string): string {
  const path = join(tempFolder(t), 'authorized_keys');
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

/** An origin with some access, and a relay before it that is public. */
export interface Readable {
  readonly relay: TestNode;
  readonly origin: TestNode;
}

/** A change of the list is noticed at once. */
const TIMES = { authorizedAgeMs: 0, quietAfterLineMs: 100, quietMs: 200, lingerMs: 300 };

export async function readable(t: TestContext, options: Partial<NodeOptions>): Promise<Readable> {
  const relay = await testNode(t, { root: tempFolder(t) }, TIMES);
  return { relay, origin: await testNode(t, options, TIMES) };
}

/** What one request gets, by the bytes that come. */
export interface Attempt {
  readonly dialect: Dialect;
  readonly key?: TestIdentity | undefined;
  readonly method?: 'GET' | 'HEAD';
  readonly path: string;
  readonly fields?: readonly string[];
}

export async function attempt(t: TestContext, nodes: Readable, asked: Attempt): Promise<Ending> {
  const { dialect, path, method = 'GET', fields = [] } = asked;
  const socket = await carrier(t, nodes, asked);
  const route = dialect === 'HTTP over a relay' ? [nodes.relay.hop, nodes.origin.hop] : [nodes.origin.hop];
  const ended = readToEnd(socket);
  socket.write(
    dialect === 'classic'
      ? messageOf(path.slice(1), [])
      : requestOf(route, path, ['Connection: close', ...fields], method),
  );
  return ended;
}

/** The same for HTTP. */
export async function attemptReply(t: TestContext, nodes: Readable, asked: Attempt): Promise<WireReply> {
  const { bytes } = await attempt(t, nodes, asked);
  return parseReply(bytes);
}

async function carrier(
  t: TestContext,
  { relay, origin }: Readable,
  { dialect, key }: Attempt,
): Promise<Socket> {
  switch (dialect) {
    case 'classic':
    case 'HTTP':
      return rawConnect(t, origin.hop);
    case 'HTTP over a relay':
      return rawConnect(t, relay.hop);
    case 'HTTPS':
      return secured(t, await rawConnect(t, origin.hop), key);
    case 'tunnel': {
      const socket = await rawConnect(t, relay.hop);
      socket.write(requestOf([relay.hop, origin.hop], '/', ['Connection: Upgrade', 'Upgrade: viaduct']));
      const [head] = await once(socket, 'data');
      assert.match(String(head), /^HTTP\/1\.1 101 /);
      return secured(t, socket, key);
    }
  }
}

async function secured(t: TestContext, carried: Socket, key: TestIdentity | undefined): Promise<Socket> {
  const own = key === undefined ? {} : { key: key.key, cert: key.cert };
  const socket = connect({ socket: carried, rejectUnauthorized: false, ...own });
  socket.on('error', () => {});
  t.after(() => socket.destroy());
  await once(socket, 'secureConnect');
  return socket;
}

/** A reply without what differs from one to the next: the time. */
export function withoutDate(bytes: Buffer): string {
  return bytes.toString('latin1').replace(/\r\nDate: [^\r]+/, '');
}
