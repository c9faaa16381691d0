import { MAX_PARKED, MAX_PARKED_PER_CLIENT, PARK_READY } from '../../defaults.js';
import { ViaductError } from '../../errors.js';
import { type ParkFor, parkPermission } from '../../identity/park-rules.js';
import type { ParkedNames } from '../../identity/parked-names.js';
import type { ParkedHop } from '../../route/hop.js';
import { isPinBeginning, pinBegins, pinName } from '../../route/parked-name.js';
import type { ByteStream } from '../../tcp/byte-stream.js';
import type { DialOptions } from '../../tcp/dial.js';
import type { ParkingTimes } from '../../wire/parking.js';
import type { AddressClass } from '../access/address.js';
import { isMoreInward } from '../access/address.js';
import { Lease, type Tokens, notParked } from './lease.js';

export interface LobbyOptions {
  /** Which nodes may park. */
  readonly parkFor: ParkFor;
  /** Who owns which name. */
  readonly names: ParkedNames;
  /** The outermost clients that may use parked nodes. */
  readonly clients: AddressClass;
  readonly limits: ParkingLimits;
  /** Connections that nodes may have here, control connections included. */
  readonly connections: number;
  readonly times: ParkingTimes;
}

export interface ParkingLimits {
  /** Parked nodes in all. */
  readonly nodes: number;
  /** With the same pin. */
  readonly nodesPerPin: number;
  /** From the same network: an address, of IPv6 the first 64 bits. */
  readonly nodesPerNetwork: number;
  /** Connections that each node keeps ready. */
  readonly ready: number;
}

export const PARKING_LIMITS: ParkingLimits = {
  nodes: MAX_PARKED,
  nodesPerPin: 8,
  nodesPerNetwork: MAX_PARKED_PER_CLIENT,
  ready: PARK_READY,
};

/** Networks whose names are counted. */
const MAX_NETWORKS = 10_000;

/** A node that wants to park. */
export interface Applicant {
  /** That it has proved. */
  readonly pin: string;
  /** Canonical; undefined: it is called by its pin. */
  readonly name: string | undefined;
  readonly network: string;
  readonly send: (line: Buffer) => void;
}

/** The nodes that are parked here. */
export class Lobby {
  readonly #options: LobbyOptions;
  #parkFor: ParkFor;
  /** By name; the newest last. */
  readonly #leases = new Map<string, Lease>();
  readonly #tokens: Tokens = new Map();
  /** Names that each network has asked for since the start: one with many keys is not to take all names for good. */
  readonly #asked = new Map<string, Set<string>>();

  constructor(options: LobbyOptions) {
    this.#options = options;
    this.#parkFor = options.parkFor;
  }

  get times(): ParkingTimes {
    return this.#options.times;
  }

  /** Other nodes may park from now on; those that no longer may have to go. */
  parkFor(parkFor: ParkFor): void {
    this.#parkFor = parkFor;
    for (const lease of Array.from(this.#leases.values())) {
      const isCalledByPin = isPinBeginning(lease.name);
      const permission = parkPermission(parkFor, lease.pin, isCalledByPin ? undefined : lease.name);
      if (permission !== 'yes') this.release(lease, 'this relay no longer parks it (--park-for)');
    }
  }

  /** @throws ViaductError PARKING_REFUSED if no node may park */
  requireOpen(): void {
    if (this.#parkFor !== 'none') return;
    throw refused('parks no nodes; start it with --park-for');
  }

  /**
   * Parks a node. An older lease of the same name ends at once: only the owner of the name gets here, whom a dead
   * predecessor must not lock out.
   * @throws ViaductError PARKING_REFUSED, UNAVAILABLE; of {@link ParkedNames.claim}
   */
  async admit({ pin, name: wanted, network, send }: Applicant): Promise<Lease> {
    const { names, limits, times } = this.#options;
    const name = wanted ?? pinName(pin);
    this.#requirePermission(pin, wanted);
    this.#requireRoom(name, pin, network);
    if (wanted !== undefined) {
      this.#requireShare(wanted, network);
      const claim = await names.claim(wanted, pin);
      if (claim === 'taken')
        throw refused(
          `knows the name "${name}" as another node's; choose another --name, or have it forgotten there (viaduct parked forget ${name})`,
        );
      if (claim === 'too-many')
        throw refused(
          'remembers as many names as it may, for this pin or in all; use an earlier one, or have one forgotten',
        );
      // Others may have come meanwhile, and other rules.
      this.#requirePermission(pin, wanted);
      this.#requireRoom(name, pin, network);
    }
    const older = this.#leases.get(name);
    // A name that was forgotten may have another owner.
    older?.end(
      older.pin === pin
        ? 'another node with the same key and name took its place'
        : 'its name belongs to another node now',
    );
    const lease = new Lease({
      name,
      pin,
      network,
      ready: limits.ready,
      tokens: this.#tokens,
      times,
      send,
    });
    this.#leases.delete(name);
    this.#leases.set(name, lease);
    return lease;
  }

  /** Ends a lease. */
  release(lease: Lease, reason: string): void {
    lease.end(reason);
    if (this.#leases.get(lease.name) === lease) this.#leases.delete(lease.name);
  }

  /** A ready connection that a node has opened. @throws ViaductError PARKING_REFUSED if nobody waits for it */
  leaseFor(token: string): Lease {
    const lease = this.#tokens.get(token);
    if (lease === undefined) throw refused('did not ask for this connection, or too long ago');
    return lease;
  }

  /** Uses one of the connections of a parked node; as `Dialler.dial`. @throws ViaductError NOT_PARKED; of {@link Lease.take} */
  async dial(hop: ParkedHop, options: DialOptions): Promise<ByteStream> {
    const lease = this.find(hop.parked);
    if (lease === undefined) throw notParked(options.label, hop);
    return lease.take(hop, options);
  }

  /** By its name, or the newest one whose pin begins so. */
  find(parked: string): Lease | undefined {
    if (!isPinBeginning(parked)) return this.#leases.get(parked);
    return Array.from(this.#leases.values()).findLast(({ pin }) => pinBegins(pin, parked));
  }

  /** @throws ViaductError PROHIBITED if clients of this class may not use parked nodes */
  permit(client: AddressClass, label: string, hopAddress: string): void {
    const { clients } = this.#options;
    if (!isMoreInward(clients, client)) return;
    const message = `${label} is prohibited: ${client} clients may not use parked nodes (--park-clients ${clients})`;
    throw new ViaductError('PROHIBITED', message, { hopAddress });
  }

  #requirePermission(pin: string, wanted: string | undefined): void {
    this.requireOpen();
    const permission = parkPermission(this.#parkFor, pin, wanted);
    if (permission === 'unknown-pin') throw refused(`does not park nodes with the pin ${pin} (--park-for)`);
    if (permission === 'reserved') throw refused(`has the name "${wanted}" for another node (--park-for)`);
  }

  #requireShare(name: string, network: string): void {
    const most = this.#options.limits.nodesPerNetwork;
    const asked = this.#asked.get(network) ?? new Set();
    if (!asked.has(name) && asked.size >= most)
      throw unavailable(`one address may ask for ${most} names (--max-parked-per-client)`);
    asked.add(name);
    if (this.#asked.size >= MAX_NETWORKS) this.#asked.clear();
    this.#asked.set(network, asked);
  }

  #requireRoom(name: string, pin: string, network: string): void {
    const { limits, connections } = this.#options;
    const others = Array.from(this.#leases.values()).filter(
      (lease) => lease.name !== name || lease.pin !== pin,
    );
    const held = others.reduce((sum, lease) => sum + 1 + lease.connections, 0);
    if (others.length >= limits.nodes)
      throw unavailable(`it parks at most ${limits.nodes} nodes (--max-parked)`);
    if (held + 1 + limits.ready > connections)
      throw unavailable('the connections for parked nodes are used up (--max-connections, --park-ready)');
    if (others.filter((lease) => lease.pin === pin).length >= limits.nodesPerPin)
      throw unavailable(`it parks at most ${limits.nodesPerPin} nodes with one pin`);
    if (others.filter((lease) => lease.network === network).length >= limits.nodesPerNetwork)
      throw unavailable(
        `it parks at most ${limits.nodesPerNetwork} nodes of one address (--max-parked-per-client)`,
      );
  }
}

function refused(what: string): ViaductError {
  return new ViaductError('PARKING_REFUSED', `this node ${what}`);
}

function unavailable(why: string): ViaductError {
  return new ViaductError('UNAVAILABLE', `no room to park: ${why}`);
}
