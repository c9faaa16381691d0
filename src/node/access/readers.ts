import { ViaductError, asViaductError } from '../../errors.js';
import { type Subtree, segmentsOf } from '../../route/subtree.js';
import type { Root } from '../origin/root.js';

/*
 * Who may read. One place decides, for every dialect and method, before anything of the tree is opened: only a decision has
 * the root, so nothing can be opened without one.
 */

/** A request to read, as far as it matters for who may. */
export interface ReadAttempt {
  readonly dialect: 'classic' | 'http';
  /** It came in TLS that ends here. */
  readonly isSecure: boolean;
  /** Of the key that the client has proved in that TLS; undefined if it has shown none. */
  readonly pin: string | undefined;
  /** What it wants to read: relative to the root, decoded, spelled as the client likes, without the link. */
  readonly name: string;
  /** The token of the link in its path, of any form; undefined if there is no link. */
  readonly link: string | undefined;
}

/** What one way of letting clients in makes of an attempt. */
export type Judgement =
  /** @member client the name of the client, if it has one @member below what it may read */
  | { readonly allowed: true; readonly client: string | undefined; readonly below: Subtree }
  /**
   * @member why a sentence for the client. It depends on the client, and on nothing below the root: neither on whether the
   * file exists nor on its name.
   * @member isRecognized the client has shown something that this way knows: its refusal is the one to report
   */
  | {
      readonly allowed: false;
      readonly client: string | undefined;
      readonly why: string;
      readonly isRecognized: boolean;
      /** For the log: what failed. */
      readonly cause?: unknown;
    };

/** A way of letting clients in. One of several is enough. */
export interface AccessWay {
  readonly name: AccessWayName;
  /** What it lets in, to follow `NAME: `. */
  readonly summary: string;
  /** Must not open anything below the root, nor take longer for a file that exists. */
  judge(attempt: ReadAttempt): Promise<Judgement>;
}

export type AccessWayName = 'keys' | 'links';

/** Who may read: everyone who can connect, or whom one of the ways lets in. */
type Access = 'public' | readonly AccessWay[];

export type Decision =
  /**
   * @member root opens what the client may read, and nothing else
   * @member shares at the top: those that the client may read too, by name; elsewhere none
   */
  | {
      readonly allowed: true;
      readonly client: string | undefined;
      readonly root: Root;
      readonly shares: ReadonlyMap<string, Root>;
    }
  | { readonly allowed: false; readonly client: string | undefined; readonly refusal: ViaductError };

/** A folder that is served under a name of its own, and who may read it. */
export interface SharedFolder {
  readonly name: string;
  /** Its real path. */
  readonly folder: string;
  /** `public`, `keys`, `links` or `keys,links`. */
  readonly access: string;
}

/** A folder that is served, and to whom. */
export interface Place {
  readonly root: Root;
  readonly access: Access;
  /** Judges links. @default the way of that name, if the access has it */
  readonly links?: AccessWay | undefined;
}

const NO_SHARES: ReadonlyMap<string, Root> = new Map();

/** Decides who may read. */
export class Readers {
  readonly #top: Place;
  readonly #shares: ReadonlyMap<string, Place>;

  /** @param shares folders beside the top, by the first segment of all their names */
  constructor(top: Place, shares: ReadonlyMap<string, Place> = new Map()) {
    this.#top = top;
    this.#shares = shares;
  }

  /** Everyone who can connect may read everything. */
  get arePublic(): boolean {
    return this.#places.every(({ access }) => access === 'public');
  }

  /** Whether something depends on the key of a client. */
  get needKeys(): boolean {
    return this.#places.some(
      ({ access }) => access !== 'public' && access.some(({ name }) => name === 'keys'),
    );
  }

  /** For the log: of the top, and of what has no access of its own. */
  get summary(): string {
    const { access } = this.#top;
    if (access === 'public') return 'public: whoever can connect may read everything under the root';
    return access.map(({ name, summary }) => `${name}: ${summary}`).join('; ');
  }

  /** For the log. */
  get shares(): readonly SharedFolder[] {
    return [...this.#shares].map(([name, { root, access }]) => ({
      name,
      folder: root.path,
      access: access === 'public' ? access : access.map((way) => way.name).join(','),
    }));
  }

  get #places(): readonly Place[] {
    return [this.#top, ...this.#shares.values()];
  }

  /**
   * Whether a client may read. A link means the same whoever has it and whatever else may be read: where there is one, it alone
   * counts. Never rejects: what cannot be judged is refused.
   */
  async decide(attempt: ReadAttempt): Promise<Decision> {
    const [first] = segmentsOf(attempt.name);
    if (first !== undefined) return decideAt(this.#shares.get(first) ?? this.#top, attempt);
    const decision = await decideAt(this.#top, attempt);
    return decision.allowed ? { ...decision, shares: await this.#sharesFor(attempt) } : decision;
  }

  /** Of these each is listed for those who may read it. */
  async #sharesFor(attempt: ReadAttempt): Promise<ReadonlyMap<string, Root>> {
    const readable = new Map<string, Root>();
    for (const [name, place] of this.#shares) {
      const decision = await decideAt(place, { ...attempt, name });
      if (decision.allowed) readable.set(name, decision.root);
    }
    return readable;
  }
}

async function decideAt({ root, access, links }: Place, attempt: ReadAttempt): Promise<Decision> {
  if (attempt.link === undefined && access === 'public')
    return { allowed: true, client: undefined, root, shares: NO_SHARES };
  const ways = access === 'public' ? [] : access;
  const forLinks = [links ?? ways.find(({ name }) => name === 'links')].filter((way) => way !== undefined);
  let refused: Extract<Judgement, { allowed: false }> | undefined;
  for (const way of attempt.link === undefined ? ways : forLinks) {
    const judgement = await judged(way, attempt);
    if (judgement.allowed)
      return {
        allowed: true,
        client: judgement.client,
        root: root.only(judgement.below),
        shares: NO_SHARES,
      };
    if (refused === undefined || (judgement.isRecognized && !refused.isRecognized)) refused = judgement;
  }
  const nobody =
    attempt.link === undefined ? 'this node lets nobody read' : 'nothing here is opened by links';
  const { why = nobody, client, cause } = refused ?? {};
  return { allowed: false, client, refusal: new ViaductError('ACCESS_DENIED', why, { cause }) };
}

/** A way that fails lets nobody in. */
async function judged(way: AccessWay, attempt: ReadAttempt): Promise<Judgement> {
  try {
    return await way.judge(attempt);
  } catch (error) {
    const why = `it cannot be decided who may read: ${asViaductError(error).code}`;
    return { allowed: false, client: undefined, why, isRecognized: true, cause: error };
  }
}
