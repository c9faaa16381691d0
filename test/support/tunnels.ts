import { X509Certificate } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type HostHop, type NodeOptions, type Route, formatLocation } from 'viaduct';
import { type KeyAndCertificate, makeIdentity } from '#src/identity/certificate.js';
import { hostNameOf } from '#src/identity/host-name.js';
import { pinOfCertificate } from '#src/identity/pin.js';
import type { NodeTimes } from '#src/node/context.js';
import { type TestNode, testChain, testNode } from './nodes.js';
import type { ClientRun } from './processes.js';
import { runInProcess } from './program.js';
import { rawServer } from './raw.js';
import { tempFolder } from './temp.js';

export interface TestIdentity extends KeyAndCertificate {
  readonly pin: string;
}

export function testIdentity(): TestIdentity {
  const { key, cert } = makeIdentity();
  return { key, cert, pin: pinOfCertificate(new X509Certificate(cert).raw) };
}

/** Relays, and an origin that speaks TLS. */
export interface SecureChain {
  readonly relays: readonly TestNode[];
  readonly origin: TestNode;
  /** Of the origin. */
  readonly identity: TestIdentity;
  readonly root: string;
  /** Over all relays to the origin. */
  readonly route: readonly HostHop[];
}

export async function secureChain(
  t: TestContext,
  relayCount: number,
  options: Partial<NodeOptions> = {},
  times: Partial<NodeTimes> = {},
): Promise<SecureChain> {
  const root = tempFolder(t);
  const identity = testIdentity();
  const { nodes: relays, route } = await testChain(t, relayCount, { root, ...options }, times);
  const origin = await testNode(t, { root, identity, ...options }, times);
  return { relays, origin, identity, root, route: [...route, origin.hop] };
}

/** What passed a link. */
export interface Link {
  /** The proxy, which stands for its target. */
  readonly hop: HostHop;
  /** From the client's side, and from the origin's. */
  readonly up: Buffer;
  readonly down: Buffer;
}

/** A TCP proxy in front of `target` that keeps all bytes of all its connections. */
export async function recordingProxy(t: TestContext, target: HostHop): Promise<Link> {
  const [up, down]: [Buffer[], Buffer[]] = [[], []];
  const { hop } = await rawServer(t, (client) => {
    const upstream = connect({ ...target, allowHalfOpen: true, noDelay: true });
    t.after(() => upstream.destroy());
    upstream.on('error', () => {});
    client.on('data', (bytes: Buffer) => up.push(bytes));
    upstream.on('data', (bytes: Buffer) => down.push(bytes));
    client.pipe(upstream);
    upstream.pipe(client);
    client.once('close', () => upstream.destroy());
    upstream.once('close', (hadError) => {
      if (hadError) client.resetAndDestroy();
    });
  });
  return {
    hop,
    get up() {
      return Buffer.concat(up);
    },
    get down() {
      return Buffer.concat(down);
    },
  };
}

/** Runs a command of the program on a location; `key` decides how the key of the last hop is trusted. */
export function runSecure(
  command: 'get' | 'ls',
  { route, path }: { readonly route: Route; readonly path: string },
  key: readonly string[],
  args: readonly string[] = [],
): Promise<ClientRun> {
  return runInProcess([command, formatLocation({ route, path }), ...key, ...args]);
}

/** The options of a state folder in which the last hop of a route is known by a pin. */
export function knownHost(t: TestContext, route: Route, pin: string): readonly string[] {
  const state = join(tempFolder(t), 'state');
  mkdirSync(state, { mode: 0o700 });
  writeFileSync(join(state, 'known_hosts'), `${hostNameOf(route)} ${pin}\n`, { mode: 0o600 });
  return ['--state', state];
}

/** The content types of TLS records (RFC 8446 §5.1). */
export const RECORD = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23 } as const;

/** The content types of the TLS records in these bytes; the last one may be incomplete. NaN for what is no record. */
export function recordTypes(bytes: Buffer): number[] {
  return recordStarts(bytes).map((at) => {
    const type = bytes[at] ?? NaN;
    return isRecordType(type) ? type : NaN;
  });
}

/** Where the TLS records in these bytes begin, and where what is no record does. */
export function recordStarts(bytes: Buffer): number[] {
  const starts: number[] = [];
  for (let at = 0; at < bytes.length;) {
    starts.push(at);
    if (!isRecordType(bytes[at] ?? NaN) || at + 5 > bytes.length) break;
    at += 5 + bytes.readUInt16BE(at + 3);
  }
  return starts;
}

function isRecordType(type: number): boolean {
  return type >= RECORD.changeCipherSpec && type <= RECORD.applicationData;
}
