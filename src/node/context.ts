import type { Pump } from '../pump/pump.js';
import type { Resolver } from '../tcp/resolver.js';
import type { NodeEvent } from './events.js';
import type { Digests } from './origin/digests.js';
import type { Policy } from './access/policy.js';
import type { Root } from './origin/root.js';
import type { SelfDials } from './access/self-dials.js';
import type { Totals } from './request-log.js';

/** What all connections of a node share. */
export interface NodeContext {
  readonly root: Root;
  readonly policy: Policy;
  readonly resolver: Resolver;
  readonly selfDials: SelfDials;
  readonly digests: Digests;
  readonly pump: Pump;
  readonly maxHops: number;
  readonly maxConnections: number;
  readonly silenceMs: number;
  /** On the HTTP wire at most 5 s. */
  readonly connectMs: number;
  readonly stallMs: number;
  readonly startedAt: number;
  readonly totals: Totals;
  /** The node is being stopped: no connection is kept for a further request. */
  readonly stopping: () => boolean;
  /** Connections that are open now. */
  readonly open: () => number;
  readonly emit: (event: NodeEvent) => void;
}
