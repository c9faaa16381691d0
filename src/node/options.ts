import type { AccessWayName, SharedFolder } from './access/readers.js';
import type { KeyAndCertificate } from '../identity/certificate.js';
import type { ParkFor } from '../identity/park-rules.js';
import type { ProxyConfig } from '../proxy/config.js';
import type { PumpName } from '../pump/choose-pump.js';
import type { ByteStream } from '../tcp/byte-stream.js';
import type { AddressClass } from './access/address.js';
import type { ClientJudgement } from './access/policy.js';
import type { NodeEvent } from './events.js';

type AccessOption = 'public' | AccessWayName | readonly AccessWayName[];

/** A folder that is served under a name of its own, and only under it. */
export interface Share {
  /** The first segment of the names of all that is in it: no slash, no leading dot. */
  readonly name: string;
  readonly folder: string;
  /** Who may read it. @default as `access` of the node */
  readonly access?: AccessOption | undefined;
}

export interface NodeOptions {
  /** Port to listen on; 0 takes a free one, and `undefined` listens on none, for a node that is only parked elsewhere. */
  readonly port: number | undefined;
  /** Address to listen on. @default all, IPv4 and IPv6 */
  readonly host?: string | undefined;
  /** Folder to serve. @default the working folder; with `shares`, none */
  readonly root?: string | undefined;
  /** Further folders, each under a name at the top, where it hides what the root has under that name. @default none */
  readonly shares?: readonly Share[] | undefined;
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
  /** The kernel's queue of connections not accepted yet. @default 4096 */
  readonly backlog?: number | undefined;
  /** Serve bytes to clients that measure how fast a route is. @default true */
  readonly speedTest?: boolean | undefined;
  /** Congestion control of TCP for what it sends, as the kernel knows it: `bbr`, `cubic`. Needs Linux and koffi. @default the system's */
  readonly congestion?: string | undefined;
  /** Rules for the hops that a relay dials, instead of the default: host, `*.domain` or CIDR, with optional `:port` or `:low-high`. */
  readonly allowHops?: readonly string[] | undefined;
  /** Host names under which clients may call this node, besides its address and its own names: a name, `*.domain`, or `*` for all. @default none */
  readonly hostNames?: readonly string[] | undefined;
  /** Hops that a relay never dials, in the same form, or `~name` for a node parked here; stronger than `allowHops` and the default. @default none */
  readonly denyHops?: readonly string[] | undefined;
  /** For whom it relays: `any`, `none`, or clients by class (and further inside) or CIDR. @default any */
  readonly relayFor?: readonly string[] | undefined;
  /** `public`: every client counts as a stranger, as is right behind a forwarder. @default observed */
  readonly clients?: ClientJudgement | undefined;
  /** Over which next hops are dialled. The environment is not read. @default none */
  readonly proxy?: ProxyConfig | undefined;
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
  /**
   * Who may read files and folders: everyone who can connect; or (`keys`) clients whose key is in `authorized`, which they
   * prove in TLS, and (`links`) those who have a link. Relaying and the status are not affected. @default 'public'
   */
  readonly access?: AccessOption | undefined;
  /**
   * For `access: 'keys'`: the path of a file with a line `PIN [NAME] [path=/PATH] [expires=TIME]` for each client, which is
   * read again when it changes; or such lines.
   */
  readonly authorized?: string | readonly string[] | undefined;
  /**
   * The secret of links: the path of a file, which `access: 'links'` makes if it does not exist, and which is read again when it
   * changes; or 32 bytes. With another access links are checked too, if there is a secret; else none opens anything.
   */
  readonly shareSecret?: string | Uint8Array | undefined;
  /** Which nodes may park here. @default 'none' */
  readonly parkFor?: ParkFor | undefined;
  /** The outermost clients that may use nodes parked here. @default 'public': whoever may use this relay */
  readonly parkClients?: AddressClass | undefined;
  /** Nodes parked here at once. @default 300 */
  readonly maxParked?: number | undefined;
  /** Nodes parked here at once from one address (IPv6: /64). @default 64 */
  readonly maxParkedPerClient?: number | undefined;
  /** Connections that each node parked here keeps ready. @default 4 */
  readonly parkReady?: number | undefined;
  /** Folder that remembers which name belongs to which parked node. @default they are forgotten at the end */
  readonly stateFolder?: string | undefined;
  /** Called for everything that happens on connections. Must not throw. */
  readonly onEvent?: ((event: NodeEvent) => void) | undefined;
}

/** A running node. */
export interface RunningNode {
  /** The address and port that it listens on; `''` and 0 if it does not. */
  readonly address: { readonly host: string; readonly port: number };
  /** Gives new connections another key and certificate, and looks where `secrets` lead to now. @throws ViaductError READ_FAILED; Error of OpenSSL if they are not a pair */
  useIdentity(identity: KeyAndCertificate): Promise<void>;
  /** Which nodes may park here from now on. Others that are parked have to go. */
  parkFor(parkFor: ParkFor): void;
  /** Who may read, in a short sentence for people. */
  readonly access: string;
  /** The real path of its root; empty if it has none. */
  readonly root: string;
  /** Its shares, with real paths, and who may read them: `public`, `keys`, `links` or `keys,links`. */
  readonly shares: readonly SharedFolder[];
  /** The limit of connections in force. */
  readonly maxConnections: number;
  /** `yes` if the death of this process resets its connections; else why it cannot. */
  readonly resetOnDeath: string;
  /** What it relays, and for whom, in words. */
  readonly relays: string;
  /** How bytes are moved. */
  readonly pump: PumpName;
  /** Why the splice pump is not available, unless another one was asked for. */
  readonly pumpReason: string | undefined;
  /**
   * Serves a connection that was made elsewhere: one that is parked at another node. Its client counts as public.
   * @param begin what was read of it
   */
  serve(stream: ByteStream, begin: Buffer): void;
  /**
   * Stops accepting, lets running transfers finish and then resets what is left.
   * @param graceMs how long they may take @default 30,000
   */
  close(graceMs?: number): Promise<void>;
}
