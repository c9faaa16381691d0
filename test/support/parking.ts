import { once, EventEmitter } from 'node:events';
import type { TestContext } from 'node:test';
import type { HostHop, NodeOptions, ParkedHop, Route } from 'viaduct';
import { type ParkEvent, keepParked } from '#src/client/parking/keep-parked.js';
import type { KeyAndCertificate } from '#src/identity/certificate.js';
import { pinName } from '#src/route/parked-name.js';
import type { ParkingTimes } from '#src/wire/parking.js';
import { IDENTITY, PIN, TRUSTED } from './identity.js';
import { type TestNode, testNode } from './nodes.js';
import type { Encryption } from '#src/client/http/encryption.js';

/** A node that does not listen, and is parked at another one. */
export interface ParkedTestNode {
  readonly node: TestNode;
  readonly hop: ParkedHop;
  readonly events: readonly ParkEvent[];
  /** The next event of this type, or the last one of the past. */
  event<T extends ParkEvent['type']>(type: T): Promise<Extract<ParkEvent, { type: T }>>;
  /** Ends the parking; resolves when it has. */
  leave(): Promise<void>;
}

export interface ParkedTestOptions {
  /** @default none: it is called by its pin */
  readonly name?: string;
  /** @default that of all nodes of tests */
  readonly identity?: KeyAndCertificate & { readonly pin: string };
  /** Whether the relay's key is right. @default that of all nodes of tests is */
  readonly encryption?: Encryption | undefined;
  readonly node?: Partial<NodeOptions>;
  readonly times?: ParkingTimes;
  /** Serves what comes instead of the node. */
  readonly serve?: TestNode['serve'];
}

/** Starts a node that parks at the last hop of a route, without waiting for it. */
export async function parkingNode(
  t: TestContext,
  route: Route,
  { name, identity = IDENTITY, encryption = TRUSTED.encryption, ...options }: ParkedTestOptions = {},
): Promise<ParkedTestNode> {
  if (encryption === undefined) throw new Error('tests trust somebody');
  const node = await testNode(t, { port: undefined, identity, ...options.node });
  const events: ParkEvent[] = [];
  const emitter = new EventEmitter();
  const end = new AbortController();
  const parked = keepParked(route, {
    encryption,
    identity: () => identity,
    name,
    serve: options.serve ?? node.serve,
    onEvent: (event) => {
      events.push(event);
      emitter.emit(event.type, event);
    },
    signal: end.signal,
    times: options.times,
  });
  const leave = (): Promise<void> => {
    end.abort();
    return parked;
  };
  t.after(leave);
  return {
    node,
    hop: { parked: name ?? pinName(identity === IDENTITY ? PIN : identity.pin) },
    events,
    leave,
    event: async (type) => {
      for (;;) {
        const found = events.find((event) => isType(event, type));
        if (found !== undefined && isType(found, type)) return found;
        await once(emitter, type);
      }
    },
  };
}

/** The same, parked. */
export async function parkedNode(
  t: TestContext,
  route: Route,
  options: ParkedTestOptions = {},
): Promise<ParkedTestNode> {
  const node = await parkingNode(t, route, options);
  await node.event('parked');
  return node;
}

/** A public node where nodes may park, one that is parked there, and the route to it. */
export async function parkedChain(
  t: TestContext,
  options: ParkedTestOptions & { readonly relay?: Partial<NodeOptions> } = {},
): Promise<{
  readonly relay: TestNode;
  readonly parked: ParkedTestNode;
  readonly route: readonly [HostHop, ParkedHop];
}> {
  const relay = await testNode(t, { parkFor: 'any', ...options.relay });
  const parked = await parkedNode(t, [relay.hop], { name: 'attic', ...options });
  return { relay, parked, route: [relay.hop, parked.hop] };
}

function isType<T extends ParkEvent['type']>(
  event: ParkEvent,
  type: T,
): event is Extract<ParkEvent, { type: T }> {
  return event.type === type;
}
