import { isUtf8 } from 'node:buffer';
import { constants, createReadStream, fstatSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { ViaductError, withContext, systemReason } from '../errors.js';
import { type Source, parseInput } from '../route/input-file.js';
import { visible } from '../text.js';
import type { CommandContext } from './context.js';

/** Size limit of an input file: that of a classic message, with room for blank lines. */
const INPUT_BYTES = 64 * 1024;

/**
 * Reads an input file; `-` is standard input.
 * @throws ViaductError READ_FAILED, or BAD_ROUTE with the line and what is wrong with it
 */
export async function readInput(path: string, context: CommandContext): Promise<Source> {
  const { bytes, label, isCut } = await readBeginning(path, context, INPUT_BYTES);
  try {
    if (isCut) throw new ViaductError('BAD_ROUTE', 'it is too large for an input file');
    return parseInput(decode(bytes));
  } catch (error) {
    throw withContext(error, (message) => `${label}: ${message}`);
  }
}

/**
 * Reads a file; `-` is standard input.
 * @returns its bytes, and what errors call it
 * @throws ViaductError READ_FAILED, also if it has more than `maxBytes`
 */
export async function readWhole(
  path: string,
  context: CommandContext,
  maxBytes: number,
): Promise<{ readonly bytes: Buffer; readonly label: string }> {
  const { isCut, ...read } = await readBeginning(path, context, maxBytes);
  if (isCut) throw unreadable(read.label, 'it is too large');
  return read;
}

/** Opens it without blocking: a FIFO without a writer would hold a thread, so that the process could not end. */
function openInput(path: string, label: string): AsyncIterable<Buffer> {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const isPipe = fstatSync(fd).isFIFO();
    return isPipe ? new Socket({ fd, readable: true, writable: false }) : createReadStream(path, { fd });
  } catch (error) {
    throw unreadable(label, error);
  }
}

/** Reads to the end, or until the size limit is exceeded. */
async function readBeginning(
  path: string,
  { stdin }: CommandContext,
  maxBytes: number,
): Promise<{ readonly bytes: Buffer; readonly label: string; readonly isCut: boolean }> {
  const label = path === '-' ? 'standard input' : visible(path);
  const stream: AsyncIterable<Buffer> = path === '-' ? stdin : openInput(path, label);
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of stream) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > maxBytes) break;
    }
  } catch (error) {
    throw unreadable(label, error);
  }
  return { bytes: Buffer.concat(chunks), label, isCut: length > maxBytes };
}

function unreadable(label: string, cause: unknown): ViaductError {
  return new ViaductError('READ_FAILED', `cannot read ${label}: ${systemReason(cause)}`, { cause });
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const lines = bytes.toString('latin1').split('\n');
    const broken = lines.findIndex((line) => !isUtf8(Buffer.from(line, 'latin1')));
    throw new ViaductError('BAD_ROUTE', `line ${broken + 1}: it is not UTF-8 text`);
  }
}
