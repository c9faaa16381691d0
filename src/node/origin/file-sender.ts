import type { FileHandle } from 'node:fs/promises';
import { ViaductError, systemReason } from '../../errors.js';
import { BUFFER_MAX } from '../../tcp/read-buffer.js';
import type { StreamWriter } from '../../tcp/writer.js';

/** A check costs one or two calls of the system. */
const CHECK_BYTES = 8 * 1024 * 1024;

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
  const size = Math.min(BUFFER_MAX, length);
  let filling = Buffer.allocUnsafeSlow(size);
  let leaving = Buffer.allocUnsafeSlow(size);
  let sending: Promise<void> = Promise.resolve();
  let checkAt = start + CHECK_BYTES;
  for (let at = start, end = start + length; at < end;) {
    if (at >= checkAt) {
      checkAt = at + CHECK_BYTES;
      await check?.();
    }
    const chunk = await readChunk(handle, filling, Math.min(size, end - at), at);
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
