import { write } from 'node:fs';
import { Socket } from 'node:net';
import { promisify } from 'node:util';
import type { Sink } from '../../files/destination.js';
import { ViaductError, systemCode, systemReason } from '../../errors.js';

const writeDescriptor = promisify(write);

/** Standard output as a sink: nothing but the file's bytes, one chunk at a time. */
export function standardOutput(): Sink {
  // Node's stream for a file makes one write(2) of a chunk and takes a short one, which a disk that is
  // nearly full gives, for a whole one (measured): the end of the file would be missing without a word.
  const writeChunk = process.stdout instanceof Socket ? writeToStream : writeToFile;
  return async (chunk) => {
    try {
      await writeChunk(chunk);
    } catch (cause) {
      const message = `cannot write standard output: ${systemReason(cause)}`;
      throw new ViaductError('WRITE_FAILED', message, { cause });
    }
  };
}

/** Waits for what is written there. Who has seen enough (`| head`) has been served. @throws as the sink does */
export async function untilReaderLeaves(writing: Promise<void>): Promise<void> {
  try {
    await writing;
  } catch (error) {
    if (!(error instanceof ViaductError && systemCode(error.cause) === 'EPIPE')) throw error;
  }
}

/** A terminal, a pipe or a socket. */
function writeToStream(chunk: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(chunk, (error) => (error ? reject(error) : resolve()));
  });
}

async function writeToFile(chunk: Buffer): Promise<void> {
  for (let at = 0; at < chunk.length;) {
    const { bytesWritten } = await writeDescriptor(process.stdout.fd, chunk, at, chunk.length - at);
    at += bytesWritten;
  }
}
