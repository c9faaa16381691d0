import { ViaductError } from '../../errors.js';
import { PartHasher } from '../../files/hash/part-hasher.js';
import { type RequestHead, fieldOf } from '../../wire/http/head.js';
import { PART_DIGESTS } from '../../wire/http/part-digests.js';
import type { ServedFile } from './served-file.js';

/** Smaller parts than this are not hashed, and no more parts than this. */
const PART_BYTES = 1024 * 1024;
const PARTS = 4096;

/** Files whose parts are hashed at the same time, and those of one client. */
const AT_ONCE = 4;
const PER_CLIENT = 1;

/** True if a request is for the digests of a file's parts, not for the file. */
export function wantsPartDigests({ method, fields }: RequestHead): boolean {
  return method === 'GET' && fieldOf(fields, PART_DIGESTS) === 'sha-256';
}

/** SHA-256 of the parts of files, so that a client whose copy is damaged can fetch the damaged parts alone. */
export class PartDigests {
  readonly #clients: string[] = [];
  #hasher: PartHasher | undefined;
  #next = 0;

  /**
   * The digests, as JSON that is made while it is sent; see docs/protocol.md 9.7.
   * @param client its network
   * @returns `release` is to be called when the text was sent, or cannot be
   * @throws ViaductError UNAVAILABLE if too many are made already
   */
  open(
    file: ServedFile,
    client: string,
  ): { readonly text: AsyncIterable<string>; readonly release: () => void } {
    const own = this.#clients.filter((other) => other === client).length;
    if (own >= PER_CLIENT || this.#clients.length >= AT_ONCE)
      throw new ViaductError('UNAVAILABLE', 'is hashing other files already');
    this.#clients.push(client);
    return { text: this.#made(file), release: () => this.#release(client) };
  }

  #release(client: string): void {
    this.#clients.splice(this.#clients.indexOf(client), 1);
    if (this.#clients.length > 0) return;
    void this.#hasher?.close();
    this.#hasher = undefined;
  }

  close(): Promise<void> {
    return this.#hasher?.close() ?? Promise.resolve();
  }

  async *#made({ handle, size, sparse }: ServedFile): AsyncGenerator<string> {
    const partBytes = Math.max(PART_BYTES, Math.ceil(size / PARTS));
    yield `{"partBytes":${partBytes},"sha256":[`;
    for (let from = 0; from < size; from += partBytes) {
      const to = Math.min(from + partBytes, size);
      this.#hasher ??= new PartHasher({ nice: true });
      const part = { file: this.#next++, fd: handle.fd, from, to, begins: true, last: true, sparse };
      const digest = await this.#hasher.hash(part);
      yield `${from === 0 ? '' : ','}\n"${digest}"`;
    }
    yield '\n]}\n';
  }
}
