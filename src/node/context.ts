import type { Pump } from '../pump/pump.js';
import type { Hop } from '../route/hop.js';
import type { Dialler } from '../tcp/dial.js';
import type { ParkingTimes } from '../wire/parking.js';
import type { TlsServer } from '../tls/accept.js';
import type { Limit } from '../tcp/live-limit.js';
import type { HostNames } from './access/host-names.js';
import type { Policy } from './access/policy.js';
import type { Readers } from './access/readers.js';
import type { SelfDials } from './access/self-dials.js';
import type { ClientTurns } from './client-turns.js';
import type { ConnectionTable } from './connection-table.js';
import type { NodeEvent } from './events.js';
import type { Totals } from './exchange.js';
import type { Archives } from './origin/archive/archives.js';
import type { Digests } from './origin/digests.js';
import type { FolderNames } from './origin/folder-names.js';
import type { PartDigests } from './origin/part-digests.js';
import type { SpeedTests } from './origin/speed.js';
import type { Lobby, ParkingLimits } from './parking/lobby.js';
import type { RelayShares } from './relay-shares.js';

/** What all connections of a node share. */
export interface NodeContext {
  /** Decides who may read, and has the root. */
  readonly readers: Readers;
  readonly policy: Policy;
  /** What clients may call this node. */
  readonly hostNames: HostNames;
  readonly dialler: Dialler<Hop>;
  /** Nodes that are parked here. */
  readonly lobby: Lobby;
  readonly selfDials: SelfDials;
  readonly digests: Digests;
  readonly partDigests: PartDigests;
  readonly folderNames: FolderNames;
  readonly archives: Archives;
  readonly speedTests: SpeedTests;
  readonly pump: Pump;
  /** The port that the node listens on. */
  readonly ownPort: number;
  /** The identity that new connections get; undefined: no TLS. */
  tls: TlsServer | undefined;
  /** Requests without TLS are refused, but for those that build tunnels. */
  readonly tlsOnly: boolean;
  readonly maxHops: number;
  readonly silenceMs: number;
  /** On the HTTP wire `times.httpConnectMs` at most. */
  readonly connectMs: number;
  readonly stall: Limit;
  readonly times: NodeTimes;
  readonly startedAt: number;
  readonly totals: Totals;
  /** The node is being stopped: no connection is kept for a further request. */
  readonly stopping: () => boolean;
  readonly connections: ConnectionTable;
  readonly turns: ClientTurns;
  readonly relayed: RelayShares;
  readonly relayedListings: RelayShares;
  readonly emit: (event: NodeEvent) => void;
  /** Events of the type `stage` are emitted too. */
  readonly stages: boolean;
}

/** Time limits that no option sets, in ms. The defaults stand beside the code that uses them. */
export interface NodeTimes {
  /** Quiet that ends a classic message: after text that ends in LF, and after other text. */
  readonly quietAfterLineMs: number;
  readonly quietMs: number;
  readonly lingerMs: number;
  readonly keepAliveMs: number;
  /** Added to `keepAliveMs`, which is what clients are told. */
  readonly keepAliveMarginMs: number;
  readonly httpConnectMs: number;
  /** A reply's head, for each hop that is left. */
  readonly headPerHopMs: number;
  /** How late a change of the list of authorized keys may be noticed. */
  readonly authorizedAgeMs: number;
  readonly parking: ParkingTimes;
  /** Not a time, but for tests as they are. */
  readonly parkingLimits?: Partial<ParkingLimits>;
}
