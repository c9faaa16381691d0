import type { TestContext } from 'node:test';
import { type HostHop, type NodeEvent, type NodeOptions, type RunningNode } from 'viaduct';
import type { NodeTimes } from '#src/node/context.js';
import { startNodeWith } from '#src/node/node.js';
import { IDENTITY } from './identity.js';

/** A node inside the test's own process, and what it has reported. */
export interface TestNode extends Pick<RunningNode, 'close' | 'serve' | 'parkFor'> {
  readonly hop: HostHop;
  readonly events: readonly NodeEvent[];
  /** The first event, past or future, that fits. @param id of its request, or of its connection if it has no request */
  event<T extends NodeEvent['type']>(type: T, id?: number): Promise<Extract<NodeEvent, { type: T }>>;
}

/**
 * Starts a node on a free port that stops when the test ends. Its key is that of all nodes of tests, unless told.
 * @param times limits without an option, where the usual ones would take too long
 */
export async function testNode(
  t: TestContext,
  options: Partial<NodeOptions> = {},
  times: Partial<NodeTimes> = {},
): Promise<TestNode> {
  const events: NodeEvent[] = [];
  const watchers = new Set<(event: NodeEvent) => void>();
  const onEvent = (event: NodeEvent): void => {
    events.push(event);
    for (const watcher of watchers) watcher(event);
  };
  const node = await startNodeWith({ port: 0, identity: IDENTITY, ...options, onEvent }, times);
  t.after(() => node.close(0));
  return {
    hop: { host: '127.0.0.1', port: node.address.port },
    events,
    close: (graceMs) => node.close(graceMs),
    serve: (stream, begin) => node.serve(stream, begin),
    parkFor: (parkFor) => node.parkFor(parkFor),
    event: (type, id) =>
      new Promise((resolve) => {
        const look = (event: NodeEvent): void => {
          if (!isType(event, type)) return;
          if (id !== undefined && idOf(event) !== id) return;
          watchers.delete(look);
          resolve(event);
        };
        watchers.add(look);
        for (const event of events) if (watchers.has(look)) look(event);
      }),
  };
}

function idOf(event: NodeEvent): number | undefined {
  if ('requestId' in event) return event.requestId;
  return 'connectionId' in event ? event.connectionId : undefined;
}

function isType<T extends NodeEvent['type']>(
  event: NodeEvent,
  type: T,
): event is Extract<NodeEvent, { type: T }> {
  return event.type === type;
}

/** `count` nodes in a row, all with the same options, and the route over all of them. */
export async function testChain(
  t: TestContext,
  count: number,
  options: Partial<NodeOptions> = {},
  times: Partial<NodeTimes> = {},
): Promise<{ readonly nodes: readonly TestNode[]; readonly route: readonly HostHop[] }> {
  const nodes = await Promise.all(Array.from({ length: count }, () => testNode(t, options, times)));
  return { nodes, route: nodes.map(({ hop }) => hop) };
}
