import type { TestContext } from 'node:test';
import { type Hop, type NodeEvent, type NodeOptions, type Route, type RunningNode, startNode } from 'viaduct';

/** A node inside the test's own process, and what it has told. */
export interface TestNode extends Pick<RunningNode, 'close'> {
  readonly hop: Hop;
  readonly events: readonly NodeEvent[];
  /** The first event, past or future, that fits. */
  event<T extends NodeEvent['type']>(type: T, connection?: number): Promise<Extract<NodeEvent, { type: T }>>;
}

/** Starts a node on a free port that stops when the test ends. */
export async function testNode(t: TestContext, options: Partial<NodeOptions> = {}): Promise<TestNode> {
  const events: NodeEvent[] = [];
  const watchers = new Set<(event: NodeEvent) => void>();
  const node = await startNode({
    port: 0,
    ...options,
    onEvent: (event) => {
      events.push(event);
      for (const watcher of watchers) watcher(event);
    },
  });
  t.after(() => node.close(0));
  return {
    hop: { host: '127.0.0.1', port: node.address.port },
    events,
    close: (graceMs) => node.close(graceMs),
    event: (type, connection) =>
      new Promise((resolve) => {
        const look = (event: NodeEvent): void => {
          if (!isType(event, type)) return;
          if (connection !== undefined && (!('connection' in event) || event.connection !== connection))
            return;
          watchers.delete(look);
          resolve(event);
        };
        watchers.add(look);
        for (const event of events) if (watchers.has(look)) look(event);
      }),
  };
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
): Promise<{ readonly nodes: readonly TestNode[]; readonly route: Route }> {
  const nodes = await Promise.all(Array.from({ length: count }, () => testNode(t, options)));
  return { nodes, route: nodes.map(({ hop }) => hop) };
}
