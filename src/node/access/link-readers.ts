import { type ViaductError, asViaductError } from '../../errors.js';
import type { ShareSecret } from '../../identity/share-secret.js';
import { type ShareClaim, decodeShare, isGenuine } from '../../route/share-token.js';
import { segmentsOf } from '../../route/subtree.js';
import type { AccessWay, Judgement, ReadAttempt } from './readers.js';

/** What became of the secret of links: another one makes earlier links wrong; with an error no link opens anything. */
export type SecretReport =
  | { readonly error: ViaductError; readonly isReplaced: false }
  | { readonly error?: undefined; readonly isReplaced: boolean };

const NEEDED = 'reading from this node needs a link';
const WRONG = 'this link opens nothing here: it is damaged, for another path, or its owner has revoked it';

/** Lets in clients that have a link, for what it is made for. */
export class LinkReaders implements AccessWay {
  readonly name = 'links';
  readonly summary = 'who has a link may read what it is for, until it expires';
  readonly #secret: ShareSecret;
  readonly #report: (report: SecretReport) => void;
  #last: Buffer | undefined;
  #failure: string | undefined;

  /** @param report called when the secret is another one, and whenever it or the reason why it cannot be read changes */
  constructor(secret: ShareSecret, report: (report: SecretReport) => void) {
    this.#secret = secret;
    this.#report = report;
  }

  async judge({ dialect, link, name }: ReadAttempt): Promise<Judgement> {
    if (dialect === 'classic') return refused(`${NEEDED}, and the classic wire has none; use viaduct get`);
    if (link === undefined) return refused(`${NEEDED}, which its owner makes with viaduct share`);
    const secret = await this.current();
    const claim = decodeShare(link);
    if (secret === undefined || claim === undefined) return refused(WRONG, true);
    const segments = segmentsOf(name);
    const below = segments.slice(0, claim.depth);
    if (!isGenuine(claim, below, secret)) return refused(WRONG, true);
    if (claim.expires * 1000 <= Date.now())
      return refused('this link has expired; ask its owner for another one', true);
    if (!isInside(claim, name, segments)) return refused(WRONG, true);
    return { allowed: true, client: undefined, below };
  }

  /** The secret as it is now; undefined if there is none, or it cannot be used. */
  async current(): Promise<Buffer | undefined> {
    try {
      const secret = await this.#secret.current();
      const isReplaced = this.#last !== undefined && secret?.equals(this.#last) !== true;
      if (isReplaced || this.#failure !== undefined) this.#report({ isReplaced });
      this.#failure = undefined;
      this.#last = secret;
      return secret;
    } catch (error) {
      const known = asViaductError(error);
      if (known.message !== this.#failure) this.#report({ error: known, isReplaced: false });
      this.#failure = known.message;
      return undefined;
    }
  }
}

/** By now the first segments are those of the claim. A name with `..` may lead anywhere; that of a file has one spelling. */
function isInside({ kind, depth }: ShareClaim, name: string, segments: readonly string[]): boolean {
  if (segments.includes('..')) return false;
  return kind === 'folder' || (segments.length === depth && name === segments.join('/'));
}

/** The same for every name. */
function refused(why: string, isRecognized = false): Judgement {
  return { allowed: false, client: undefined, why, isRecognized };
}
