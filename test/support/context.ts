import type { Policy } from '#src/node/access/policy.js';
import { HostNames } from '#src/node/access/host-names.js';
import { Readers } from '#src/node/access/readers.js';
import { SelfDials } from '#src/node/access/self-dials.js';
import { ClientTurns } from '#src/node/client-turns.js';
import { RelayShares } from '#src/node/relay-shares.js';
import { ConnectionTable } from '#src/node/connection-table.js';
import type { NodeContext } from '#src/node/context.js';
import { Totals } from '#src/node/exchange.js';
import { NODE_TIMES } from '#src/node/node.js';
import { Archives } from '#src/node/origin/archive/archives.js';
import { Digests } from '#src/node/origin/digests.js';
import { FolderNames } from '#src/node/origin/folder-names.js';
import { Root } from '#src/node/origin/root.js';
import { PartDigests } from '#src/node/origin/part-digests.js';
import { SpeedTests } from '#src/node/origin/speed.js';
import { NodeDialler } from '#src/node/parking/dialler.js';
import { Lobby, PARKING_LIMITS } from '#src/node/parking/lobby.js';
import { ParkedNames } from '#src/identity/parked-names.js';
import { PARKING_TIMES } from '#src/wire/parking.js';
import { socketPump } from '#src/pump/socket-pump.js';
import { TcpDialler } from '#src/tcp/dial.js';

/** What the connections of a node share, for tests that put one together themselves. */
export async function testContext(
  root: string,
  policy: Policy,
  ownPort: number,
  more: Partial<NodeContext> = {},
): Promise<NodeContext> {
  const lobby = new Lobby({
    parkFor: 'none',
    names: await ParkedNames.open(undefined),
    clients: 'public',
    limits: PARKING_LIMITS,
    connections: 100,
    times: PARKING_TIMES,
  });
  return {
    readers: new Readers({ root: await Root.at(root, false), access: 'public' }),
    policy,
    hostNames: new HostNames({ rules: [] }),
    dialler: new NodeDialler(new TcpDialler(), lobby),
    lobby,
    selfDials: new SelfDials(),
    digests: new Digests(),
    partDigests: new PartDigests(),
    folderNames: new FolderNames(),
    archives: new Archives(),
    speedTests: new SpeedTests(true),
    pump: socketPump,
    ownPort,
    maxHops: 16,
    connections: new ConnectionTable(100),
    turns: new ClientTurns(),
    tls: undefined,
    tlsOnly: false,
    relayed: new RelayShares(2048, 'requests'),
    relayedListings: new RelayShares(64, 'listings'),
    silenceMs: 10_000,
    connectMs: 10_000,
    stall: 10_000,
    times: NODE_TIMES,
    startedAt: 0,
    totals: new Totals(),
    stopping: () => false,
    emit: () => {},
    stages: false,
    ...more,
  };
}
