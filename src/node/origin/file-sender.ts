import type { FileHandle } from 'node:fs/promises';
import { ViaductError, systemReason } from '../../errors.js';
import { BUFFER_MAX } from '../../tcp/read-buffer.js';
import type { StreamWriter } from '../../tcp/writer.js';

const NOTHING = Buffer.alloc(0);

/** A check costs one or two calls of the system. */
const CHECK_BYTES = 8 * 1024 * 1024;

/** The first two chunks are small: a client that leaves at once costs little, and the first byte is sooner there. */
const FIRST_BYTES = 64 * 1024;

/**
 * Sends `length` bytes of an open file from `start`, exactly those: a file that has grown since it was
 * opened is sent as it was, one that has shrunk is a failure. Reads ahead by one chunk: two buffers, one
 * on its way to the client while the other is filled.
 *
 * @param check called every few MiB
 * @throws ViaductError READ_FAILED, or what the writer or `check` throws
 */
export async function sendFileBytes(
  handle: FileHandle,
  start: number,
  length: number,
  writer: StreamWriter,
  check?: () => Promise<void>,
): Promise<void> {
  let filling = NOTHING;
  let leaving = NOTHING;
  let sending: Promise<void> = Promise.resolve();
  let checkAt = start + CHECK_BYTES;
  for (let at = start, end = start + length; at < end;) {
    if (at >= checkAt) {
      checkAt = at + CHECK_BYTES;
      await check?.();
    }
    const size = Math.min(at - start < 2 * FIRST_BYTES ? FIRST_BYTES : BUFFER_MAX, end - at);
    if (filling.length < size) filling = Buffer.allocUnsafeSlow(size);
    const chunk = await readChunk(handle, filling, size, at);
    await sending;
    [filling, leaving] = [leaving, filling];
    at += chunk.length;
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
