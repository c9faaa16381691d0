import { type ErrorCode, asViaductError } from '../errors.js';
import type { Route } from '../route/hop.js';
import { addKnownHost } from './change-known-hosts.js';
import { hostNameOf } from './host-name.js';
import { KnownHosts, readKnownHosts } from './known-hosts.js';
import { stateFolderPath } from './state-folder.js';
import {
  ASK_AGAIN,
  type PresentedKey,
  changedKeyError,
  changedKeyWarning,
  checkTrust,
  keyQuestion,
  readAnswer,
  refusedKeyError,
  unknownKeyError,
  wrongPinError,
} from './trust.js';
import { visible } from '../text.js';

export interface HostTrustOptions {
  /** Absolute path. @default that of this user, which pins do not need */
  readonly stateFolder?: string | undefined;
  /** The value of `--state`, if it was given. */
  readonly stateOption?: string | undefined;
  /** Pins that the user gave. */
  readonly pins?: readonly string[];
  /** Trust and save unknown keys; changed ones are refused all the same. @default false */
  readonly acceptNew?: boolean;
  /** Prints a question and returns the line that is typed, or why there is none; undefined if there is no terminal. */
  readonly ask?: (question: string) => Promise<string | { readonly noAnswer: string } | undefined>;
  /** Prints lines for people, each with its newline. */
  readonly notify?: (lines: string) => void;
}

/** What a decision fails with; any other failure, as of a busy known_hosts, decides nothing. */
const ABOUT_KEYS = new Set<ErrorCode>(['UNKNOWN_HOST_KEY', 'CHANGED_HOST_KEY', 'WRONG_PIN']);

/** Decides for one command which hosts are trusted. Each key is decided on once, however many connections see it. */
export class HostTrust {
  readonly #options: HostTrustOptions;
  readonly #decisions = new Map<string, Promise<void>>();
  /** Keys that the user has accepted, with names. They may not be saved yet. */
  readonly #accepted = new Set<string>();
  /** Questions are asked one after the other. */
  #lastQuestion: Promise<unknown> = Promise.resolve();

  constructor(options: HostTrustOptions) {
    this.#options = options;
  }

  /**
   * Resolves if the key of a route's last host is trusted.
   * @param presented the pin of the certificate that the host proved to have the key for
   * @throws ViaductError UNKNOWN_HOST_KEY, CHANGED_HOST_KEY or WRONG_PIN; READ_FAILED, WRITE_FAILED or BUSY for known_hosts;
   *   USAGE if this user has no folder for it
   */
  check(route: Route, presented: string): Promise<void> {
    const name = hostNameOf(route);
    const id = idOf(name, presented);
    let decision = this.#decisions.get(id);
    if (decision === undefined) {
      decision = this.#decide(route, name, presented);
      this.#decisions.set(id, decision);
      // Before callers learn of it: one that tries again is to find no decision.
      decision.catch((error: unknown) => {
        if (!ABOUT_KEYS.has(asViaductError(error).code)) this.#decisions.delete(id);
      });
    }
    return decision;
  }

  async #decide(route: Route, name: string, presented: string): Promise<void> {
    const { stateOption, pins = [], notify } = this.#options;
    // Pins decide alone, also if known_hosts cannot be read or has no place.
    const stateFolder = pins.length > 0 ? '' : (this.#options.stateFolder ?? stateFolderPath());
    for (;;) {
      const known = pins.length > 0 ? new KnownHosts('', '') : await readKnownHosts(stateFolder);
      const decision = checkTrust({ pins, known, name, presented });
      const key: PresentedKey = { route, name, presented, path: known.path, stateOption };
      switch (decision.kind) {
        case 'trusted':
          return;
        case 'wrong-pin':
          throw wrongPinError(key, decision.expected);
        case 'changed':
          notify?.(changedKeyWarning(key, decision.known));
          throw changedKeyError(key, decision.known);
        case 'unknown': {
          const id = idOf(name, presented);
          const isAccepted =
            this.#options.acceptNew === true ||
            this.#accepted.has(id) ||
            (await this.#confirm(key, decision.otherNames));
          if (!isAccepted) throw refusedKeyError(key);
          this.#accepted.add(id);
          // Another process may have saved another key meanwhile, which the next turn finds.
          if (await addKnownHost(stateFolder, name, presented))
            notify?.(`viaduct: saved the pin of ${name} to ${visible(known.path)}\n`);
        }
      }
    }
  }

  /** Whether the user accepts the key. @throws ViaductError if there is no answer, or it is another pin */
  async #confirm(key: PresentedKey, otherNames: readonly string[]): Promise<boolean> {
    const asking = this.#lastQuestion.then(async () => {
      let question = keyQuestion(key, otherNames);
      for (;;) {
        const text = await this.#options.ask?.(question);
        if (typeof text !== 'string') throw unknownKeyError(key, otherNames, text?.noAnswer);
        const answer = readAnswer(text, key.presented);
        if (answer === 'wrong-pin') throw wrongPinError(key, [text.trim()]);
        if (answer !== 'unclear') return answer === 'yes';
        question = ASK_AGAIN;
      }
    });
    this.#lastQuestion = asking.catch(() => {});
    return asking;
  }
}

function idOf(name: string, presented: string): string {
  return `${name} ${presented}`;
}
