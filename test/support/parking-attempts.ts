import type { HostHop } from 'viaduct';
import { controlFields, readyFields } from '#src/wire/parking.js';
import { IDENTITY } from './identity.js';
import { Talk, parkByHand, parkingHead, proofFor, tlsTo } from './park-client.js';
import { rawConnect } from './raw.js';
import { type Cleanup, Scope } from './scope.js';
import { testIdentity } from './tunnels.js';

/** Attempts of somebody who has no right to what they ask for, and one of somebody who has it and leaves at once. */
export class ParkingAttempts {
  readonly #hop: HostHop;
  readonly #stranger = testIdentity();
  #made = 0;
  /** A proof for the connection before. */
  #stolen: ReturnType<typeof proofFor> | undefined;

  /** @param hop a relay that knows `attic` as the name of the node of tests */
  constructor(hop: HostHop) {
    this.#hop = hop;
  }

  /** Makes so many, some at once; each waits for its answer. Returns how many had each status. */
  async run(count: number, atOnce: number): Promise<Readonly<Record<string, number>>> {
    const statuses: Record<string, number> = {};
    const worker = async (): Promise<void> => {
      while (this.#made < end) {
        const status = await this.#one((this.#made += 1));
        statuses[status] = (statuses[status] ?? 0) + 1;
      }
    };
    const end = this.#made + count;
    await Promise.all(Array.from({ length: atOnce }, worker));
    return statuses;
  }

  async #one(number: number): Promise<string> {
    const scope = new Scope();
    try {
      const talk = await this.#kinds[number % this.#kinds.length]?.(scope);
      return /^HTTP\/1\.1 (\d{3})/.exec(talk?.heard ?? '')?.[1] ?? 'none';
    } finally {
      await scope.end();
    }
  }

  readonly #kinds: readonly ((scope: Cleanup) => Promise<Talk>)[] = [
    // The name of another node, with a proof of its own key.
    (scope) => parkByHand(scope, this.#hop, 'attic', this.#stranger),
    // A proof of another connection.
    async (scope) => {
      const { socket, talk } = await tlsTo(scope, this.#hop);
      const own = proofFor(socket, IDENTITY);
      const stolen = this.#stolen ?? { ...own, signature: Buffer.from('none') };
      this.#stolen = own;
      socket.write(parkingHead(controlFields('attic', stolen)));
      await talk.until(/\r\n\r\n/);
      return talk;
    },
    // A token that nobody was given.
    async (scope) => {
      const talk = new Talk(await rawConnect(scope, this.#hop));
      talk.socket.write(parkingHead(readyFields(`guess-${this.#made}`)));
      await talk.until(/\r\n\r\n/);
      return talk;
    },
    // Malformed.
    async (scope) => {
      const { socket, talk } = await tlsTo(scope, this.#hop);
      socket.write(parkingHead(controlFields('attic', { key: Buffer.alloc(0), signature: Buffer.alloc(1) })));
      await talk.until(/\r\n\r\n/);
      return talk;
    },
    // One that may park, gets tokens, and is gone.
    (scope) => parkByHand(scope, this.#hop, 'visitor', this.#stranger),
  ];
}
