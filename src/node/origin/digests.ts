import { createHash } from 'node:crypto';
import pLimit from 'p-limit';
import { parseDictionary } from 'structured-headers';
import { type Field, type RequestHead, valuesOf } from '../../wire/http/head.js';
import { SMALL_FILE_BYTES } from '../../defaults.js';
import { DigestQueue } from './digest-queue.js';
import { mayBegin } from './growth.js';
import { type ServedFile, versionOf } from './served-file.js';
import { wholeOf } from './whole.js';

/** A `HEAD` that wants a digest waits so long for it. */
const DIGEST_WAIT_MS = 5000;

/** A digest that nobody waits for, or has asked for again within this time, is given up. */
const DIGEST_ABANDON_MS = 15_000;

/** Small files are hashed without another thread, and before the reply: 0.2 ms (measured). So many at once. */
const SMALL_AT_ONCE = 4;

/** Digests that are remembered: of files as they are, and of earlier versions, which clients name and can invent. */
const DIGESTS_KEPT = 1000;
const EARLIER_KEPT = 100;

/** True if a request asks for the SHA-256 of the whole file (RFC 9530 §4). */
export function wantsDigest(request: RequestHead): boolean {
  try {
    const wanted = parseDictionary(valuesOf(request.fields, 'want-repr-digest').join(', ')).get('sha-256');
    return wanted !== undefined && typeof wanted[0] === 'number' && wanted[0] > 0;
  } catch {
    return false; // RFC 9651 §4.2: a field that cannot be parsed is ignored.
  }
}

/** SHA-256 in base64. */
export function digestOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('base64');
}

/** A SHA-256, in base64, as a field (RFC 9530 §3). */
export function digestField(digest: string): Field {
  return ['Repr-Digest', `sha-256=:${digest}:`];
}

/** The file of which a digest is wanted, and by whom. */
export interface DigestOf {
  readonly version: string;
  readonly size: number;
  /** It is no longer the version of the file; a client has named it. */
  readonly isEarlier?: boolean;
  /** The network of the client. */
  readonly client: string;
  /** Opens it again, for a thread that reads it for as long as it takes. */
  readonly reopen: () => Promise<ServedFile>;
}

/** A digest that somebody waits for, until it is released. */
export interface WantedDigest {
  /**
   * `Repr-Digest` (RFC 9530 §3); `Retry-After` while it is not known; nothing if the file is too large.
   * @param wait whether the reply may wait for it, up to 5 s
   */
  fields(wait: boolean): Promise<Field[]>;
  readonly release: () => void;
}

/** Who waits for a digest that is being made. */
interface Demand {
  readonly clients: Set<string>;
  waiting: number;
  /** When the last one stopped to wait. */
  wantedAt: number;
}

interface Making {
  readonly digest: Promise<string | undefined>;
  readonly demand: Demand;
}

/** SHA-256 of files, made once for each version of a file and only while somebody waits for it. */
export class Digests {
  readonly #known = new Remembered(DIGESTS_KEPT);
  readonly #earlier = new Remembered(EARLIER_KEPT);
  readonly #making = new Map<string, Making>();
  readonly #queue = new DigestQueue();
  readonly #small = pLimit(SMALL_AT_ONCE);
  readonly #maxBytes: number;
  readonly #abandonMs: number;

  /** @param maxBytes larger files get no digest */
  constructor(maxBytes = Infinity, abandonMs = DIGEST_ABANDON_MS) {
    this.#maxBytes = maxBytes;
    this.#abandonMs = abandonMs;
  }

  /** Begins to make it, if it is not known. */
  want(of: DigestOf): WantedDigest {
    const { version, size, isEarlier = false } = of;
    const known = this.#known.get(version) ?? (isEarlier ? this.#earlier.get(version) : undefined);
    if (known !== undefined || size > this.#maxBytes) {
      const fields: Field[] = known === undefined ? [] : [digestField(known)];
      return { fields: async () => fields, release: () => {} };
    }
    const making = this.#making.get(version) ?? this.#make(of);
    const { demand } = making;
    demand.clients.add(of.client);
    demand.waiting += 1;
    return {
      fields: async (wait) => {
        const digest = wait ? await withinLimit(making.digest) : undefined;
        return [digest === undefined ? ['Retry-After', '1'] : digestField(digest)];
      },
      release: () => {
        demand.waiting -= 1;
        demand.wantedAt = performance.now();
      },
    };
  }

  /** Gives up what is under way, and what comes later. */
  close(): Promise<void> {
    return this.#queue.close();
  }

  #make(of: DigestOf): Making {
    const { version, size, client, isEarlier = false } = of;
    const demand: Demand = { clients: new Set([client]), waiting: 0, wantedAt: performance.now() };
    const isSmall = size <= SMALL_FILE_BYTES;
    const running = isSmall ? this.#small(() => hashSmall(of)) : this.#hashLarge(of, demand);
    const digest = running.catch(() => undefined);
    const making = { digest, demand };
    this.#making.set(version, making);
    void digest.then((made) => {
      this.#making.delete(version);
      if (made !== undefined) (isEarlier ? this.#earlier : this.#known).add(version, made);
    });
    return making;
  }

  async #hashLarge({ version, size, client, reopen }: DigestOf, demand: Demand): Promise<string | undefined> {
    if (!this.#queue.makeRoom(client)) return undefined;
    let file: ServedFile | undefined;
    const open = async (): Promise<ServedFile | undefined> => {
      file = await reopen();
      return file.version === version ? file : undefined;
    };
    const { clients } = demand;
    const isAbandoned = (): boolean =>
      demand.waiting === 0 && performance.now() - demand.wantedAt > this.#abandonMs;
    const digest = await new Promise<string | undefined>((done) =>
      this.#queue.add({ clients, size, open, isAbandoned, done }),
    );
    if (file === undefined) return undefined;
    try {
      return await ifUnchanged(file, digest);
    } finally {
      await file.handle.close();
    }
  }
}

/** Digests by version, so many; the one used longest ago is forgotten first. */
class Remembered {
  readonly #digests = new Map<string, string>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  get(version: string): string | undefined {
    const digest = this.#digests.get(version);
    if (digest !== undefined) this.add(version, digest);
    return digest;
  }

  add(version: string, digest: string): void {
    this.#digests.delete(version);
    this.#digests.set(version, digest);
    const [oldest] = this.#digests.keys();
    if (this.#digests.size > this.#max && oldest !== undefined) this.#digests.delete(oldest);
  }
}

/** Base64, or undefined if the file is another one by now. */
async function hashSmall({ version, reopen }: DigestOf): Promise<string | undefined> {
  const file = await reopen();
  try {
    const bytes = file.version === version ? await wholeOf(file) : undefined;
    return bytes && digestOf(bytes);
  } finally {
    await file.handle.close();
  }
}

async function ifUnchanged(file: ServedFile, digest: string | undefined): Promise<string | undefined> {
  const now = versionOf(await file.handle.stat({ bigint: true }));
  return now === file.version || mayBegin(now, file.version) ? digest : undefined;
}

function withinLimit(running: Promise<string | undefined>): Promise<string | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), DIGEST_WAIT_MS);
    void running.then(resolve).finally(() => clearTimeout(timer));
  });
}
