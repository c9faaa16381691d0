import { write } from 'node:fs';
import { Socket } from 'node:net';
import { promisify } from 'node:util';
import type { CommandContext } from '../context.js';
import type { Sink } from '../../files/destination.js';
import { ViaductError, systemCode, systemReason } from '../../errors.js';

const writeDescriptor = promisify(write);

type Stdout = CommandContext['stdout'];

/** Standard output as a sink of a file's bytes, which writes one chunk at a time. */
export function standardOutput(stdout: Stdout): Sink {
  // Node's stream of a file calls write(2) once per chunk and ignores a short count, which a nearly full disk
  // returns (measured): the end of the file would be lost silently.
  const isFile = typeof stdout.fd === 'number' && !(stdout instanceof Socket);
  const writeChunk = isFile ? writeToFile : writeToStream;
  return async (chunk) => {
    try {
      await writeChunk(stdout, chunk);
    } catch (cause) {
      const message = `cannot write standard output: ${systemReason(cause)}`;
      throw new ViaductError('WRITE_FAILED', message, { cause });
    }
  };
}

/** Waits for a write. It succeeds too if the reader closes standard output early (`| head`). @throws as the sink does */
export async function untilReaderLeaves(writing: Promise<void>): Promise<void> {
  try {
    await writing;
  } catch (error) {
    if (!(error instanceof ViaductError && systemCode(error.cause) === 'EPIPE')) throw error;
  }
}

/** To a terminal, a pipe or a socket. */
function writeToStream(stdout: Stdout, chunk: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    stdout.write(chunk, (error) => (error ? reject(error) : resolve()));
  });
}

async function writeToFile({ fd }: Stdout, chunk: Buffer): Promise<void> {
  for (let at = 0; at < chunk.length;) {
    const { bytesWritten } = await writeDescriptor(fd, chunk, at, chunk.length - at);
    at += bytesWritten;
  }
}
