import { type ViaductError, asViaductError } from '../../errors.js';
import type { AuthorizedKeys } from '../../identity/authorized-keys.js';
import type { AuthorizedLine, AuthorizedList } from '../../identity/authorized-list.js';
import { isInside } from '../../route/subtree.js';
import type { AccessWay, Judgement, ReadAttempt } from './readers.js';

/** What became of the list of authorized keys. */
export type KeysReport =
  | { readonly keys: number; readonly error?: undefined }
  /** Nobody may read. */
  | { readonly keys: 0; readonly error: ViaductError };

/* A client shows 200 characters of what a node reports. */
const NEEDED = 'reading from this node needs an authorized key';
const OWNER = 'send its pin (viaduct identity --client) to the owner, who runs viaduct authorize';

/** Lets in clients whose key the owner of the node has authorized. */
export class KeyReaders implements AccessWay {
  readonly name = 'keys';
  readonly summary = 'only clients whose key is authorized may read; whoever can connect sees the status';
  readonly #keys: AuthorizedKeys;
  readonly #report: (report: KeysReport) => void;
  #reported = '';
  #list: AuthorizedList | undefined;

  /** @param report called when the list is read first, and whenever it or the reason why it cannot be read is another one */
  constructor(keys: AuthorizedKeys, report: (report: KeysReport) => void) {
    this.#keys = keys;
    this.#report = report;
  }

  async judge({ dialect, isSecure, pin, name }: ReadAttempt): Promise<Judgement> {
    if (dialect === 'classic') return unknown(`${NEEDED}, and the classic wire has none; use viaduct get`);
    if (!isSecure) return unknown(`${NEEDED}, in TLS: use viaduct get without --plain, and ${OWNER} PIN`);
    if (pin === undefined)
      return unknown(`${NEEDED}: use viaduct get, or curl --cert client.pem, and ${OWNER} PIN`);
    const list = await this.current();
    if (list === undefined)
      return unknown(`${NEEDED}, and its list of keys cannot be used; its log has the reason`);
    const client = list.lookUp(pin);
    if (client === undefined) return unknown(`the key of this client is not authorized: ${OWNER} ${pin}`);
    const why = whyNot(client, name);
    if (why !== undefined) return { allowed: false, client: client.name, why, isRecognized: true };
    return { allowed: true, client: client.name, below: client.below };
  }

  /** The list as it is now; undefined if it cannot be used. */
  async current(): Promise<AuthorizedList | undefined> {
    try {
      const list = await this.#keys.current();
      if (list !== this.#list) this.#tell(`${list.clients.length}`, { keys: list.clients.length }, list);
      return list;
    } catch (error) {
      const known = asViaductError(error);
      this.#tell(known.message, { keys: 0, error: known }, undefined);
      return undefined;
    }
  }

  #tell(text: string, report: KeysReport, list: AuthorizedList | undefined): void {
    const isNews = list !== undefined || text !== this.#reported;
    this.#list = list;
    this.#reported = text;
    if (isNews) this.#report(report);
  }
}

function unknown(why: string): Judgement {
  return { allowed: false, client: undefined, why, isRecognized: false };
}

/** The same for every name that a client may not read. */
function whyNot({ expires, below }: AuthorizedLine, name: string): string | undefined {
  if (expires !== undefined && expires.getTime() <= Date.now())
    return 'the authorization of this key has expired; the owner of the node can renew it with viaduct authorize';
  return isInside(name, below) ? undefined : 'the key of this client is authorized for other paths only';
}
