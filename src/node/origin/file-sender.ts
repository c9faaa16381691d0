import type { FileHandle } from 'node:fs/promises';
import { ViaductError, systemReason } from '../../errors.js';
import { BUFFER_MAX } from '../../tcp/read-buffer.js';
import type { StreamWriter } from '../../tcp/writer.js';
import type { FilePart } from './reply.js';

const NOTHING = Buffer.alloc(0);

/** A check costs one or two calls of the system. */
const CHECK_BYTES = 8 * 1024 * 1024;

/** The first two chunks are small: a client that leaves at once costs little, and the first byte is sooner there. */
const FIRST_BYTES = 64 * 1024;

/** Two buffers, one on its way to the client while the other is filled. A reply of many files uses them for all. */
export class SendBuffers {
  #filling = NOTHING;
  #leaving = NOTHING;

  /** The one that was filled last is on its way from now on. */
  swap(): void {
    [this.#filling, this.#leaving] = [this.#leaving, this.#filling];
  }

  /** To be filled next. @param size of a new one, if there is none as large */
  filling(size: number): Buffer {
    if (this.#filling.length < size) this.#filling = Buffer.allocUnsafeSlow(size);
    return this.#filling;
  }

  /** A reply has begun with small chunks before. */
  get areLarge(): boolean {
    return this.#filling.length === BUFFER_MAX;
  }
}

/**
 * Sends a part of an open file, exactly its `length`: a file that has grown since it was
 * opened is sent as it was, one that has shrunk is a failure. Reads ahead by one chunk.
 *
 * @throws ViaductError READ_FAILED, or what the writer or `check`, which is called every few MiB, throws
 */
export async function sendFileBytes(
  { handle, start, length, check, onChunk }: FilePart,
  writer: StreamWriter,
  buffers = new SendBuffers(),
): Promise<void> {
  let sending: Promise<void> = Promise.resolve();
  let checkAt = start + CHECK_BYTES;
  for (let at = start, end = start + length; at < end;) {
    if (at >= checkAt) {
      checkAt = at + CHECK_BYTES;
      await check?.();
    }
    const isBegin = at - start < 2 * FIRST_BYTES && !buffers.areLarge;
    const size = Math.min(isBegin ? FIRST_BYTES : BUFFER_MAX, end - at);
    const chunk = await readChunk(handle, buffers.filling(size), size, at);
    await sending;
    buffers.swap();
    at += chunk.length;
    onChunk?.(chunk);
    sending = writer.write(chunk);
    // Awaited in the next round or below; until then its failure is not "unhandled".
    sending.catch(() => {});
  }
  await sending;
}

async function readChunk(handle: FileHandle, buffer: Buffer, length: number, at: number): Promise<Buffer> {
  try {
    const { bytesRead } = await handle.read(buffer, 0, length, at);
    if (bytesRead > 0) return buffer.subarray(0, bytesRead);
  } catch (error) {
    throw new ViaductError('READ_FAILED', `the file cannot be read: ${systemReason(error)}`, {
      cause: error,
    });
  }
  throw new ViaductError('READ_FAILED', `the file shrank to ${at} bytes while it was sent`);
}
