import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { TcpDialler } from '#src/tcp/dial.js';
import { TcpStream } from '#src/tcp/stream.js';
import { serveConnection } from '#src/node/serve-connection.js';
import { listen } from '#src/tcp/listen.js';
import { Resolver } from '#src/tcp/resolver.js';
import type { AddressClass } from '#src/node/access/address.js';
import { Connection } from '#src/node/connection.js';
import { Policy } from '#src/node/access/policy.js';
import type { HostHop } from 'viaduct';
import { VIEW } from './addresses.js';
import { testContext } from './context.js';
import { finds } from './lookups.js';
import { randomFile, tempFolder } from './temp.js';

/** Where a node seems to stand, though all that is dialled is loopback. */
export interface Place {
  /** The address that its clients seem to come from. */
  readonly from: string;
  /** The addresses that names seem to have. */
  readonly names: Readonly<Record<string, string>>;
  readonly root: string;
}

/** Judges by the addresses that things seem to have. */
class PlacedPolicy extends Policy {
  readonly #place: Place;

  constructor(place: Place, ownPort: number) {
    super({ allowHops: [], clients: 'observed', view: () => VIEW, ownPort });
    this.#place = place;
  }

  override classOf(): AddressClass {
    return super.classOf(this.#place.from);
  }

  override check(client: AddressClass, hop: HostHop, addresses: readonly string[], label?: string): void {
    const seeming = this.#place.names[hop.host];
    super.check(client, hop, seeming === undefined ? addresses : [seeming], label);
  }
}

/** A node at a place; all names lead to loopback. */
export async function placedNode(t: TestContext, place: Place): Promise<HostHop> {
  const { server, address } = await listen({ host: '127.0.0.1', port: 0, backlog: 100 });
  const policy = new PlacedPolicy(place, address.port);
  const node = await testContext(place.root, policy, address.port, {
    dialler: new TcpDialler(new Resolver(finds('127.0.0.1'))),
  });
  server.on('connection', (socket: Socket) => {
    void serveConnection(new Connection(node, TcpStream.over(socket)));
  });
  t.after(() => server.close());
  return { host: '127.0.0.1', port: address.port };
}

export const PUBLIC = '8.8.8.8';
export const PRIVATE = '10.0.0.7';
export const LOOPBACK = '127.0.0.1';
/** How names look from everywhere. */
const NAMES = { outside: '1.1.1.1', inside: '10.0.0.5', itself: '127.0.0.1' };

/** Nodes in a row: the client of the first comes from `from`, all others stand in one host and trust each other. */
export async function innerChain(
  t: TestContext,
  count: number,
  from: string,
): Promise<{ readonly hops: readonly HostHop[]; readonly file: Buffer }> {
  const root = tempFolder(t);
  const file = randomFile(root, 'file', 100);
  const hops: HostHop[] = [];
  for (let index = 0; index < count; index += 1) {
    const { port } = await placedNode(t, { from: index === 0 ? from : LOOPBACK, names: NAMES, root });
    hops.push({ host: index === 0 ? LOOPBACK : 'outside', port });
  }
  return { hops, file };
}
