import type { Server, Socket } from 'node:net';
import { ViaductError } from '../errors.js';
import {
  BACKLOG,
  CONNECT_MS,
  GRACE_MS,
  MAX_CONNECTIONS,
  MAX_HOPS,
  MAX_TIMER_MS,
  SILENCE_MS,
  STALL_MS,
} from '../defaults.js';
import { Channel } from '../tcp/stream.js';
import { type PumpName, choosePump } from '../pump/choose-pump.js';
import { listen } from '../tcp/listen.js';
import { resetOnDeathMissing } from '../tcp/reset-on-death.js';
import { Resolver } from '../tcp/resolver.js';
import { formatHop } from '../route/hop.js';
import { Connection, peerOf } from './connection.js';
import type { NodeContext } from './context.js';
import { connectionsThatFit } from './descriptors.js';
import type { NodeEvent } from './events.js';
import { Digests } from './origin/digests.js';
import { systemNetworkView } from './access/network-view.js';
import { type ClientJudgement, Policy, parseHopRule } from './access/policy.js';
import { Root } from './origin/root.js';
import { SelfDials } from './access/self-dials.js';

export interface NodeOptions {
  /** Port to listen on; 0 takes a free one. */
  readonly port: number;
  /** Address to listen on. @default all, IPv4 and IPv6 */
  readonly host?: string | undefined;
  /** Folder to serve. @default the working folder */
  readonly root?: string | undefined;
  /** Whether names with a leading dot are served. @default false */
  readonly dotfiles?: boolean | undefined;
  /** Silence of a sender, in ms. @default 10,000 */
  readonly timeoutMs?: number | undefined;
  /** Dialling a next hop, look-up included, in ms. @default 20,000 */
  readonly connectTimeoutMs?: number | undefined;
  /** A reader that takes nothing, in ms. @default 60,000 */
  readonly stallTimeoutMs?: number | undefined;
  /** Hops of a whole route; the node itself is one of them. @default 16 */
  readonly maxHops?: number | undefined;
  /** Connections at once; further ones are reset. @default 2,048, less if descriptors are short */
  readonly maxConnections?: number | undefined;
  /** The kernel's queue of connections not accepted yet. @default 511 */
  readonly backlog?: number | undefined;
  /** Rules for whom a relay dials, instead of the default: host, `*.domain` or CIDR, with optional `:port` or `:low-high`. */
  readonly allowHops?: readonly string[] | undefined;
  /** `public`: every client counts as a stranger, as is right behind a forwarder. @default observed */
  readonly clients?: ClientJudgement | undefined;
  /** How bytes are moved. @default splice where there is one: Linux on x64, with glibc and koffi */
  readonly pump?: PumpName | undefined;
  /** Told what happens on every connection. Must not throw. */
  readonly onEvent?: ((event: NodeEvent) => void) | undefined;
}

/** A running node. */
export interface RunningNode {
  /** The address and port that it listens on. */
  readonly address: { readonly host: string; readonly port: number };
  /** The real path of its root. */
  readonly root: string;
  /** The limit of connections in force. */
  readonly maxConnections: number;
  /** `yes` if the death of this process resets its connections; else why it cannot. */
  readonly resetOnDeath: string;
  /** How bytes are moved. */
  readonly pump: PumpName;
  /** Why the splice pump is not to be had, if it was not chosen otherwise. */
  readonly pumpReason: string | undefined;
  /**
   * Stops accepting, lets running transfers finish and then resets what is left.
   * @param graceMs how long they may take @default 30,000
   */
  close(graceMs?: number): Promise<void>;
}

/**
 * Starts a node: origin and relay in one, decided per request.
 * @throws ViaductError LISTEN_FAILED, or USAGE for a root or rule that is none, or a pump that is not to be had
 */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const emit = options.onEvent ?? ((): void => {});
  const root = await Root.at(options.root ?? '.', options.dotfiles ?? false);
  const allowHops = (options.allowHops ?? []).map(parseHopRule);
  const maxConnections = Math.min(options.maxConnections ?? MAX_CONNECTIONS, connectionsThatFit());
  const chosen = choosePump(options.pump, (cause) => emit({ type: 'pump-died', cause }));
  const connections = new Set<Connection>();
  const { server, address } = await listen({
    host: options.host,
    port: options.port,
    backlog: options.backlog ?? BACKLOG,
  });
  const context: NodeContext = {
    root,
    policy: new Policy({
      allowHops,
      clients: options.clients ?? 'observed',
      view: systemNetworkView(),
      ownPort: address.port,
    }),
    resolver: new Resolver(),
    selfDials: new SelfDials(),
    digests: new Digests(),
    pump: chosen.pump,
    maxHops: options.maxHops ?? MAX_HOPS,
    silenceMs: options.timeoutMs ?? SILENCE_MS,
    connectMs: options.connectTimeoutMs ?? CONNECT_MS,
    stallMs: options.stallTimeoutMs ?? STALL_MS,
    maxConnections,
    startedAt: performance.now(),
    totals: { accepted: 0, completed: 0, failed: 0, bytes: 0 },
    stopping: () => !server.listening,
    open: () => connections.size,
    emit,
  };

  server.on('connection', (socket: Socket) => {
    const channel = Channel.accepted(socket);
    if (connections.size >= maxConnections) {
      const peer = formatHop(peerOf(socket));
      channel.reset();
      return emit({ type: 'refused', peer, limit: maxConnections });
    }
    const connection = new Connection(context, channel);
    connections.add(connection);
    void connection.serve().finally(() => connections.delete(connection));
  });

  return {
    address: { host: address.address, port: address.port },
    root: root.path,
    maxConnections,
    resetOnDeath: resetOnDeathMissing() ?? 'yes',
    pump: chosen.name,
    pumpReason: chosen.why,
    close: async (graceMs = GRACE_MS) => {
      await close(server, context.digests, connections, graceMs);
      await chosen.close();
    },
  };
}

/** Node's server reports closed once its last socket is. */
function close(
  server: Server,
  digests: Digests,
  connections: ReadonlySet<Connection>,
  graceMs: number,
): Promise<void> {
  const resetAll = (): void => {
    for (const connection of connections) {
      connection.abort(new ViaductError('ABORTED', 'the node was stopped'));
    }
  };
  return new Promise((resolve) => {
    const timer = setTimeout(resetAll, Math.min(graceMs, MAX_TIMER_MS));
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    digests.close();
    for (const connection of connections)
      connection.stop(new ViaductError('ABORTED', 'the node was stopped'));
  });
}
