import { ViaductError, systemReason } from '../../../errors.js';
import { visible } from '../../../text.js';
import type { ClientTurns } from '../../client-turns.js';
import type { FilePart } from '../reply.js';
import type { Root } from '../root.js';
import { type ServedFile, versionOf } from '../served-file.js';
import type { PlannedFile } from './plan.js';

/** A planned file and its name relative to the root. */
export type FileAt = PlannedFile & { readonly path: string };

/** A file of an archive while it is sent. */
export interface OpenFile {
  readonly part: Pick<FilePart, 'handle' | 'check'>;
  /** @throws ViaductError CHANGED */
  readonly check: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/**
 * Opens the files of a plan as their client may read them, and as they were when the plan was made: whatever has changed since
 * ends the archive, since its size, time and digest are fixed.
 */
export class PlannedSource {
  readonly #root: Root;
  readonly #shares: ReadonlyMap<string, Root>;
  readonly #turns: ClientTurns;
  readonly #client: string;
  readonly #onChanged: () => void;

  /**
   * @param shares by the first segment of names that are not in `root`
   * @param client its network
   * @param onChanged called when a file is not as planned
   */
  constructor(
    { root, shares }: { readonly root: Root; readonly shares: ReadonlyMap<string, Root> },
    turns: ClientTurns,
    client: string,
    onChanged: () => void,
  ) {
    this.#root = root;
    this.#shares = shares;
    this.#turns = turns;
    this.#client = client;
    this.#onChanged = onChanged;
  }

  /** @throws ViaductError as `Root.openFile`; CHANGED */
  async open(file: FileAt): Promise<OpenFile> {
    const { path, version } = file;
    const served = await this.#opened(path);
    const { handle } = served;
    const check = async (): Promise<void> => {
      if (versionOf(await handle.stat({ bigint: true })) !== version) throw this.#changed(path);
    };
    if (served.version !== version) {
      await handle.close();
      throw this.#changed(path);
    }
    return {
      part: { handle, check },
      check,
      close: () => handle.close(),
    };
  }

  /** All bytes of a small file into a buffer of its size. @throws ViaductError as {@link open}; READ_FAILED */
  async readInto(buffer: Buffer, file: FileAt): Promise<void> {
    const { part, check, close } = await this.open(file);
    const { handle } = part;
    try {
      for (let done = 0; done < file.size;) {
        const { bytesRead } = await handle.read(buffer, done, file.size - done, done);
        if (bytesRead === 0) throw this.#changed(file.path);
        done += bytesRead;
      }
      await check();
    } catch (error) {
      if (error instanceof ViaductError) throw error;
      const why = `"${visible(file.path)}" cannot be read: ${systemReason(error)}`;
      throw new ViaductError('READ_FAILED', why, { cause: error });
    } finally {
      await close();
    }
  }

  async #opened(path: string): Promise<ServedFile> {
    const root = this.#shares.get(path.slice(0, Math.max(0, path.indexOf('/')))) ?? this.#root;
    try {
      return await this.#turns.run(this.#client, () => root.openFile(path));
    } catch (error) {
      this.#onChanged();
      throw error;
    }
  }

  #changed(path: string): ViaductError {
    this.#onChanged();
    return new ViaductError('CHANGED', `"${visible(path)}" was changed while the archive was sent`);
  }
}
