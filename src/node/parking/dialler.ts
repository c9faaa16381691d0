import { type Hop, isParked } from '../../route/hop.js';
import type { ByteStream } from '../../tcp/byte-stream.js';
import type { DialOptions, Dialler } from '../../tcp/dial.js';
import type { Lobby } from './lobby.js';

/** Reaches every kind of hop: hosts over TCP, nodes that are parked here over a connection of theirs. */
export class NodeDialler implements Dialler<Hop> {
  readonly #hosts: Dialler;
  readonly #lobby: Lobby;

  constructor(hosts: Dialler, lobby: Lobby) {
    this.#hosts = hosts;
    this.#lobby = lobby;
  }

  dial(hop: Hop, options: DialOptions): Promise<ByteStream> {
    return isParked(hop) ? this.#lobby.dial(hop, options) : this.#hosts.dial(hop, options);
  }
}
