import type { Server, Socket } from 'node:net';
import { ViaductError } from '../errors.js';
import {
  BACKLOG,
  CONNECT_MS,
  GRACE_MS,
  HTTP_HEAD_PER_HOP_MS,
  MAX_CONNECTIONS,
  MAX_HOPS,
  MAX_TIMER_MS,
  SILENCE_MS,
  PAUSE_MS,
  STALL_MS,
} from '../defaults.js';
import { liveLimit } from '../tcp/live-limit.js';
import { TcpStream, remoteOf } from '../tcp/stream.js';
import { type PumpName, choosePump } from '../pump/choose-pump.js';
import { listen } from '../tcp/listen.js';
import { resetOnDeathMissing } from '../tcp/reset-on-death.js';
import { TcpDialler } from '../tcp/dial.js';
import { LINGER_MS } from '../tcp/linger.js';
import { formatHop } from '../route/hop.js';
import { networkOf } from './access/address.js';
import { Connection } from './connection.js';
import type { KeyAndCertificate } from '../identity/certificate.js';
import { tlsServer } from '../tls/accept.js';
import { ClientTurns } from './client-turns.js';
import { ConnectionTable } from './connection-table.js';
import type { NodeContext, NodeTimes } from './context.js';
import { connectionsThatFit } from './descriptors.js';
import type { NodeEvent } from './events.js';
import { Totals } from './exchange.js';
import { QUIET_AFTER_LINE_MS, QUIET_MS } from './first-bytes.js';
import { KEEP_ALIVE_MARGIN_MS, KEEP_ALIVE_MS } from './http/read-request.js';
import { HTTP_CONNECT_MS } from './http/relay.js';
import { serveConnection } from './serve-connection.js';
import { Digests } from './origin/digests.js';
import { FolderNames, LISTINGS_PER_CLIENT } from './origin/folder-names.js';
import { RelayShares } from './relay-shares.js';
import { systemNetworkView } from './access/network-view.js';
import { type ClientJudgement, Policy } from './access/policy.js';
import { parseHopRule } from './access/rules.js';
import { Root } from './origin/root.js';
import { Secrets } from './origin/secrets.js';
import { SelfDials } from './access/self-dials.js';

export interface NodeOptions {
  /** Port to listen on; 0 takes a free one. */
  readonly port: number;
  /** Address to listen on. @default all, IPv4 and IPv6 */
  readonly host?: string | undefined;
  /** Folder to serve. @default the working folder */
  readonly root?: string | undefined;
  /** Serve names with a leading dot. @default false */
  readonly dotfiles?: boolean | undefined;
  /** Silence of a sender, in ms. @default 10,000 */
  readonly timeoutMs?: number | undefined;
  /** Dialling a next hop, look-up included, in ms. @default 20,000 */
  readonly connectTimeoutMs?: number | undefined;
  /** A reader that takes nothing while half of the connections are in use, in ms. @default 60,000 */
  readonly stallTimeoutMs?: number | undefined;
  /** A reader that takes nothing while there is room, in ms. @default 3,600,000 */
  readonly pauseTimeoutMs?: number | undefined;
  /** Hops of a whole route; the node itself is one of them. @default 16 */
  readonly maxHops?: number | undefined;
  /** Connections at once. Those without a request give way to further ones; if there are none, these are reset. @default 2,048, less if descriptors are short */
  readonly maxConnections?: number | undefined;
  /** Larger files get no SHA-256, in bytes. @default none */
  readonly digestLimitBytes?: number | undefined;
  /** The kernel's queue of connections not accepted yet. @default 511 */
  readonly backlog?: number | undefined;
  /** Rules for the hops that a relay dials, instead of the default: host, `*.domain` or CIDR, with optional `:port` or `:low-high`. */
  readonly allowHops?: readonly string[] | undefined;
  /** `public`: every client counts as a stranger, as is right behind a forwarder. @default observed */
  readonly clients?: ClientJudgement | undefined;
  /** How bytes are moved. @default splice where it is available: Linux on x64, with glibc and koffi */
  readonly pump?: PumpName | undefined;
  /** Emit events of the type `stage`, for watching single requests. @default false */
  readonly stages?: boolean | undefined;
  /** Key and certificate (with its chain) for TLS on the same port, as PEM. @default none: no TLS */
  readonly identity?: KeyAndCertificate | undefined;
  /** Files and folders that are never served, whatever the root is: those with keys. @default none */
  readonly secrets?: readonly string[] | undefined;
  /** Refuse requests without TLS. @default false */
  readonly tlsOnly?: boolean | undefined;
  /** Ask clients in TLS for their identity; a client without one is served all the same. @default false */
  readonly askClients?: boolean | undefined;
  /** Called for everything that happens on connections. Must not throw. */
  readonly onEvent?: ((event: NodeEvent) => void) | undefined;
}

/** A running node. */
export interface RunningNode {
  /** The address and port that it listens on. */
  readonly address: { readonly host: string; readonly port: number };
  /** Gives new connections another key and certificate, and looks where `secrets` lead to now. @throws ViaductError READ_FAILED; Error of OpenSSL if they are not a pair */
  useIdentity(identity: KeyAndCertificate): Promise<void>;
  /** The real path of its root. */
  readonly root: string;
  /** The limit of connections in force. */
  readonly maxConnections: number;
  /** `yes` if the death of this process resets its connections; else why it cannot. */
  readonly resetOnDeath: string;
  /** How bytes are moved. */
  readonly pump: PumpName;
  /** Why the splice pump is not available, unless another one was asked for. */
  readonly pumpReason: string | undefined;
  /**
   * Stops accepting, lets running transfers finish and then resets what is left.
   * @param graceMs how long they may take @default 30,000
   */
  close(graceMs?: number): Promise<void>;
}

/** The usual time limits that no option sets. */
export const NODE_TIMES: NodeTimes = {
  quietAfterLineMs: QUIET_AFTER_LINE_MS,
  quietMs: QUIET_MS,
  lingerMs: LINGER_MS,
  keepAliveMs: KEEP_ALIVE_MS,
  keepAliveMarginMs: KEEP_ALIVE_MARGIN_MS,
  httpConnectMs: HTTP_CONNECT_MS,
  headPerHopMs: HTTP_HEAD_PER_HOP_MS,
};

/**
 * Starts a node: origin and relay in one, decided per request.
 * @throws ViaductError LISTEN_FAILED; USAGE for an invalid root or rule, or a pump that is not available
 */
export function startNode(options: NodeOptions): Promise<RunningNode> {
  return startNodeWith(options, {});
}

/** The limits for a reader that takes nothing. @throws ViaductError USAGE if the one for a busy node is longer */
function stallLimits({ stallTimeoutMs, pauseTimeoutMs }: NodeOptions): { busyMs: number; idleMs: number } {
  const busyMs = stallTimeoutMs ?? Math.min(STALL_MS, pauseTimeoutMs ?? PAUSE_MS);
  const idleMs = pauseTimeoutMs ?? Math.max(PAUSE_MS, busyMs);
  if (busyMs <= idleMs) return { busyMs, idleMs };
  const values = `--stall-timeout (${busyMs / 1000} s) is longer than --pause-timeout (${idleMs / 1000} s)`;
  throw new ViaductError('USAGE', values);
}

/** The same, with other time limits than the usual ones. */
export async function startNodeWith(options: NodeOptions, times: Partial<NodeTimes>): Promise<RunningNode> {
  const emit = options.onEvent ?? ((): void => {});
  const secrets = await Secrets.of(options.secrets ?? []);
  const root = await Root.at(options.root ?? '.', options.dotfiles ?? false, secrets);
  const allowHops = (options.allowHops ?? []).map(parseHopRule);
  const maxConnections = Math.min(options.maxConnections ?? MAX_CONNECTIONS, connectionsThatFit());
  const chosen = choosePump(options.pump, (cause) => emit({ type: 'pump-died', cause }));
  const connections = new Set<Connection>();
  const table = new ConnectionTable(maxConnections);
  const { busyMs, idleMs } = stallLimits(options);
  const stall = liveLimit(busyMs, idleMs);
  const connectionsChanged = (): void => {
    stall.current[0] = table.isBusy ? busyMs : idleMs;
  };
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
    dialler: new TcpDialler(),
    selfDials: new SelfDials(),
    ownPort: address.port,
    digests: new Digests(options.digestLimitBytes),
    folderNames: new FolderNames(),
    pump: chosen.pump,
    maxHops: options.maxHops ?? MAX_HOPS,
    silenceMs: options.timeoutMs ?? SILENCE_MS,
    connectMs: options.connectTimeoutMs ?? CONNECT_MS,
    stall,
    times: { ...NODE_TIMES, ...times },
    connections: table,
    turns: new ClientTurns(),
    tls: options.identity && tlsServer(options.identity, options.askClients),
    tlsOnly: options.tlsOnly ?? false,
    relayed: new RelayShares(maxConnections, 'requests'),
    relayedListings: new RelayShares(LISTINGS_PER_CLIENT, 'listings'),
    startedAt: performance.now(),
    totals: new Totals(),
    stopping: () => !server.listening,
    emit,
    stages: options.stages ?? false,
  };

  server.on('connection', (socket: Socket) => {
    // First, as it is to cost little: a client that is refused comes back at once.
    const peer = remoteOf(socket);
    if (!table.makeRoom(networkOf(peer.host))) {
      socket.on('error', () => {}).resetAndDestroy();
      return emit({ type: 'refused', peer: formatHop(peer), limit: maxConnections });
    }
    const stream = TcpStream.over(socket);
    const connection = new Connection(context, stream);
    connections.add(connection);
    table.add(connection);
    connectionsChanged();
    void serveConnection(connection).finally(() => {
      connections.delete(connection);
      table.delete(connection);
      connectionsChanged();
    });
  });

  return {
    address: { host: address.address, port: address.port },
    root: root.path,
    maxConnections,
    resetOnDeath: resetOnDeathMissing() ?? 'yes',
    pump: chosen.name,
    pumpReason: chosen.why,
    useIdentity: async (identity) => {
      await secrets.update();
      context.tls = tlsServer(identity, options.askClients);
    },
    close: async (graceMs = GRACE_MS) => {
      await Promise.all([context.digests.close(), close(server, connections, graceMs)]);
      await chosen.close();
    },
  };
}

/** Node's server reports closed once its last socket is. */
function close(server: Server, connections: ReadonlySet<Connection>, graceMs: number): Promise<void> {
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
    for (const connection of connections)
      connection.stop(new ViaductError('ABORTED', 'the node was stopped'));
  });
}
