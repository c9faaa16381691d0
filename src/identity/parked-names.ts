import pLimit from 'p-limit';
import { type Edit, changeStateFile } from './change-state-file.js';
import { type Claim, PARKED_NODES, ParkedList } from './parked-list.js';
import { parsedOnce, pathOfStateFile, readStateFile } from './state-file.js';
import { WatchedStateFile } from './watched-state-file.js';

/**
 * Who owns which name at this relay. A name belongs to the first pin that claimed it, until it is forgotten
 * (`viaduct parked forget`). The names are remembered in `parked_nodes` of the state folder, which several processes may
 * share.
 */
export class ParkedNames {
  readonly #folder: string | undefined;
  readonly #file = parsedOnce(PARKED_NODES);
  readonly #watched: WatchedStateFile<ParkedList> | undefined;
  /** Without a folder. */
  #list = new ParkedList('', '');
  /** Claims of one process queue here: the lock of the file is tried again and again, and only for some time. */
  readonly #changes = pLimit(1);

  private constructor(folder: string | undefined) {
    this.#folder = folder;
    this.#watched = folder === undefined ? undefined : new WatchedStateFile(folder, this.#file);
  }

  /**
   * @param folder the state folder, which need not exist; undefined: names are remembered in memory only
   * @throws ViaductError READ_FAILED if the file cannot be read, a line is malformed, or others may write to it
   */
  static async open(folder: string | undefined): Promise<ParkedNames> {
    const names = new ParkedNames(folder);
    await names.#current();
    return names;
  }

  /**
   * Takes a name for a pin, if it is free. A name that the pin owns already costs one lstat(2), and no write. Of several
   * pins that claim a name at once, one gets it, also if they do so in several processes.
   *
   * The file is read again after a change, so a name that was forgotten is free at once. An error leaves all names as they
   * are: the claim may be made again.
   * @param name canonical, as `parseParkedName` returns it
   * @param pin as `parsePin` returns it, and proved by its node
   * @throws ViaductError READ_FAILED as {@link ParkedNames.open}; WRITE_FAILED, or BUSY if another process holds the lock of
   * the file for 10 s
   */
  async claim(name: string, pin: string): Promise<Claim> {
    const seen = (await this.#current()).judge(name, pin);
    return seen === 'free' ? this.#changes(() => this.#take(name, pin)) : seen;
  }

  async #take(name: string, pin: string): Promise<Claim> {
    const edit = (list: ParkedList): Edit<Claim> => {
      const judged = list.judge(name, pin);
      if (judged !== 'free') return { result: judged };
      return { result: 'owned', text: list.textWith(name, pin, new Date()) };
    };
    if (this.#folder !== undefined) return changeStateFile(this.#folder, this.#file, edit);
    const { result, text } = edit(this.#list);
    if (text !== undefined) this.#list = new ParkedList('', text);
    return result;
  }

  /** The names as they are in the file now. */
  async #current(): Promise<ParkedList> {
    return this.#watched?.current() ?? this.#list;
  }
}

export function parkedNamesPath(stateFolder: string): string {
  return pathOfStateFile(stateFolder, PARKED_NODES);
}

/** @throws ViaductError READ_FAILED as {@link ParkedNames.open} */
export async function readParkedNames(stateFolder: string): Promise<ParkedList> {
  return readStateFile(stateFolder, PARKED_NODES);
}

/**
 * Makes names free again: all of them, or none if one is unknown.
 * @param names canonical
 * @returns those that are unknown
 * @throws ViaductError READ_FAILED, WRITE_FAILED or BUSY
 */
export async function forgetParkedNames(
  stateFolder: string,
  names: readonly string[],
): Promise<readonly string[]> {
  return changeStateFile(stateFolder, PARKED_NODES, (list) => {
    const result = names.filter((name) => list.lookUp(name) === undefined);
    return result.length > 0 ? { result } : { result, text: list.textWithout(names) };
  });
}
