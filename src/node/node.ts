import { canSend, listenOn } from './listen-on.js';
import { ViaductError } from '../errors.js';
import {
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
import { acceptFrom } from '../tcp/accept.js';
import { sockets } from '../tcp/descriptor/sockets.js';
import { choosePump } from '../pump/choose-pump.js';
import { PARKING_TIMES } from '../wire/parking.js';
import { resetOnDeathMissing } from '../tcp/reset-on-death.js';
import { LINGER_MS } from '../tcp/linger.js';
import { type HostHop, formatHop } from '../route/hop.js';
import { networkOf } from './access/address.js';
import { Connection } from './connection.js';
import { ParkedNames } from '../identity/parked-names.js';
import { tlsServer } from '../tls/accept.js';
import { ClientTurns } from './client-turns.js';
import { ConnectionTable } from './connection-table.js';
import type { NodeContext, NodeTimes } from './context.js';
import { connectionsThatFit } from './descriptors.js';
import { Totals } from './exchange.js';
import { nextHopDialler } from './next-hops.js';
import { QUIET_AFTER_LINE_MS, QUIET_MS } from './first-bytes.js';
import type { NodeOptions, RunningNode } from './options.js';
import { NodeDialler } from './parking/dialler.js';
import { Lobby, PARKING_LIMITS } from './parking/lobby.js';
import { KEEP_ALIVE_MARGIN_MS, KEEP_ALIVE_MS } from './http/read-request.js';
import { HTTP_CONNECT_MS } from './http/relay.js';
import { serveConnection } from './serve-connection.js';
import { Archives } from './origin/archive/archives.js';
import { Digests } from './origin/digests.js';
import { FolderNames, LISTINGS_PER_CLIENT } from './origin/folder-names.js';
import { RelayShares } from './relay-shares.js';
import { systemNetworkView } from './access/network-view.js';
import { Policy } from './access/policy.js';
import { hostNamesOf, rulesOf } from './access-options.js';
import { AUTHORIZED_AGE_MS, readersFor } from './access/readers-for.js';
import { openRoots } from './origin/roots.js';
import { PartDigests } from './origin/part-digests.js';
import { Secrets } from './origin/secrets.js';
import { SpeedTests } from './origin/speed.js';
import { SelfDials } from './access/self-dials.js';

/** The usual time limits that no option sets. */
export const NODE_TIMES: NodeTimes = {
  quietAfterLineMs: QUIET_AFTER_LINE_MS,
  quietMs: QUIET_MS,
  lingerMs: LINGER_MS,
  keepAliveMs: KEEP_ALIVE_MS,
  keepAliveMarginMs: KEEP_ALIVE_MARGIN_MS,
  httpConnectMs: HTTP_CONNECT_MS,
  headPerHopMs: HTTP_HEAD_PER_HOP_MS,
  authorizedAgeMs: AUTHORIZED_AGE_MS,
  parking: PARKING_TIMES,
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
  const keptBack = [options.authorized, options.shareSecret].filter((path) => typeof path === 'string');
  const secrets = await Secrets.of([...(options.secrets ?? []), ...keptBack]);
  const roots = await openRoots(options, secrets);
  const readers = await readersFor(options, roots, { ...NODE_TIMES, ...times });
  const rules = rulesOf(options);
  const maxConnections = Math.min(options.maxConnections ?? MAX_CONNECTIONS, connectionsThatFit());
  const chosen = choosePump(options.pump, (cause) => emit({ type: 'pump-died', cause }));
  const own = chosen.name === 'splice' ? sockets() : undefined;
  /** With what resolves when each is closed. */
  const connections = new Map<Connection, Promise<void>>();
  const table = new ConnectionTable(maxConnections);
  const { busyMs, idleMs } = stallLimits(options);
  const stall = liveLimit(busyMs, idleMs);
  const connectionsChanged = (): void => {
    stall.current[0] = table.isBusy ? busyMs : idleMs;
  };
  const lobby = await lobbyFor(options, maxConnections, { ...NODE_TIMES, ...times });
  const asksClients = (options.askClients ?? false) || readers.needKeys;
  const tls = options.identity && tlsServer(options.identity, asksClients);
  const hostNames = hostNamesOf(options);
  const listener = await listenOn(options);
  const ownPort = listener?.address.port ?? 0;
  let isStopping = false;
  const policy = new Policy({ ...rules, view: systemNetworkView(), ownPort });
  const context: NodeContext = {
    readers,
    policy,
    hostNames,
    dialler: new NodeDialler(nextHopDialler(options.proxy, own), lobby),
    lobby,
    selfDials: new SelfDials(),
    ownPort,
    digests: new Digests(options.digestLimitBytes),
    partDigests: new PartDigests(),
    folderNames: new FolderNames(),
    archives: new Archives(),
    speedTests: new SpeedTests(options.speedTest ?? true),
    pump: chosen.pump,
    maxHops: options.maxHops ?? MAX_HOPS,
    silenceMs: options.timeoutMs ?? SILENCE_MS,
    connectMs: options.connectTimeoutMs ?? CONNECT_MS,
    stall,
    times: { ...NODE_TIMES, ...times },
    connections: table,
    turns: new ClientTurns(),
    tls,
    tlsOnly: options.tlsOnly ?? false,
    relayed: new RelayShares(maxConnections, 'requests'),
    relayedListings: new RelayShares(LISTINGS_PER_CLIENT, 'listings'),
    startedAt: performance.now(),
    totals: new Totals(),
    stopping: () => isStopping,
    emit,
    stages: options.stages ?? false,
  };

  /** False if there is no room for a connection of this peer. */
  const makeRoom = (peer: HostHop): boolean => {
    if (table.makeRoom(networkOf(peer.host))) return true;
    emit({ type: 'refused', peer: formatHop(peer), limit: maxConnections });
    return false;
  };
  const serve = (connection: Connection, begin?: Buffer): void => {
    table.add(connection);
    connectionsChanged();
    const done = serveConnection(connection, begin).finally(() => {
      connections.delete(connection);
      table.delete(connection);
      connectionsChanged();
    });
    connections.set(connection, done);
  };
  const stopListening =
    listener &&
    acceptFrom(
      listener.server,
      (incoming) => {
        // First, as it is to cost little: a client that is refused comes back at once.
        if (makeRoom(incoming.remote)) serve(new Connection(context, incoming.accept()));
        else incoming.refuse();
      },
      own,
    );

  return {
    address: { host: listener?.address.address ?? '', port: ownPort },
    serve: (stream, begin) => {
      if (isStopping || !canSend(stream, options) || !makeRoom(stream.remote)) return stream.reset();
      stream.resetOnDeath();
      serve(new Connection(context, stream, true), begin);
    },
    access: readers.summary,
    root: roots.top.path,
    shares: readers.shares,
    relays: policy.description,
    parkFor: (parkFor) => lobby.parkFor(parkFor),
    maxConnections,
    resetOnDeath: resetOnDeathMissing() ?? 'yes',
    pump: chosen.name,
    pumpReason: chosen.why,
    useIdentity: async (identity) => {
      await secrets.update();
      context.tls = tlsServer(identity, asksClients);
      hostNames.useCertificate(identity.cert);
    },
    close: async (graceMs = GRACE_MS) => {
      isStopping = true;
      await Promise.all([
        context.digests.close(),
        context.partDigests.close(),
        close(stopListening, connections, graceMs),
      ]);
      await chosen.close();
    },
  };
}

/** A quarter of the connections are left to clients. */
const LEFT_TO_CLIENTS = 1 / 4;

async function lobbyFor(options: NodeOptions, maxConnections: number, times: NodeTimes): Promise<Lobby> {
  const { parkFor = 'none', parkClients = 'public', stateFolder } = options;
  const { nodes, nodesPerNetwork, ready } = PARKING_LIMITS;
  return new Lobby({
    parkFor,
    names: await ParkedNames.open(parkFor === 'none' ? undefined : stateFolder),
    clients: parkClients,
    limits: {
      ...PARKING_LIMITS,
      nodes: options.maxParked ?? nodes,
      nodesPerNetwork: options.maxParkedPerClient ?? nodesPerNetwork,
      ready: options.parkReady ?? ready,
      ...times.parkingLimits,
    },
    connections: Math.floor(maxConnections * (1 - LEFT_TO_CLIENTS)),
    times: times.parking,
  });
}

/** Resolves when the last connection is closed. */
async function close(
  stopListening: (() => Promise<void>) | undefined,
  connections: ReadonlyMap<Connection, Promise<void>>,
  graceMs: number,
): Promise<void> {
  const reason = new ViaductError('ABORTED', 'the node was stopped');
  const resetAll = (): void => {
    for (const connection of connections.keys()) connection.abort(reason);
  };
  const timer = setTimeout(resetAll, Math.min(graceMs, MAX_TIMER_MS));
  const isClosed = stopListening?.();
  for (const connection of connections.keys()) connection.stop(reason);
  await Promise.all([isClosed, ...connections.values()]);
  clearTimeout(timer);
}
