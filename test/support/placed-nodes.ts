import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { Channel } from '#src/tcp/stream.js';
import { listen } from '#src/tcp/listen.js';
import { portablePump } from '#src/pump/socket-pump.js';
import { Resolver } from '#src/tcp/resolver.js';
import type { AddressClass } from '#src/node/access/address.js';
import { Connection } from '#src/node/connection.js';
import { Digests } from '#src/node/origin/digests.js';
import { Policy } from '#src/node/access/policy.js';
import { Root } from '#src/node/origin/root.js';
import { SelfDials } from '#src/node/access/self-dials.js';
import type { Hop } from 'viaduct';
import { VIEW } from './addresses.js';
import { finds } from './lookups.js';

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

  override check(client: AddressClass, hop: Hop, addresses: readonly string[], label?: string): void {
    const seeming = this.#place.names[hop.host];
    super.check(client, hop, seeming === undefined ? addresses : [seeming], label);
  }
}

/** A node at a place; all names lead to loopback. */
export async function placedNode(t: TestContext, place: Place): Promise<Hop> {
  const { server, address } = await listen({ host: '127.0.0.1', port: 0, backlog: 100 });
  const connections = new Set<Promise<void>>();
  const node = {
    root: await Root.at(place.root, false),
    policy: new PlacedPolicy(place, address.port),
    resolver: new Resolver(finds('127.0.0.1')),
    selfDials: new SelfDials(),
    digests: new Digests(),
    pump: portablePump,
    maxHops: 16,
    maxConnections: 100,
    silenceMs: 10_000,
    connectMs: 10_000,
    stallMs: 10_000,
    startedAt: 0,
    totals: { accepted: 0, completed: 0, failed: 0, bytes: 0 },
    stopping: () => false,
    open: () => connections.size,
    emit: () => {},
  };
  server.on('connection', (socket: Socket) => {
    const served = new Connection(node, Channel.accepted(socket)).serve();
    connections.add(served);
    void served.finally(() => connections.delete(served));
  });
  t.after(() => server.close());
  return { host: '127.0.0.1', port: address.port };
}
