import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
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
  const label = path === '-' ? 'standard input' : visible(path);
  const bytes = await readBeginning(path === '-' ? context.stdin : createReadStream(path), label);
  try {
    if (bytes.length > INPUT_BYTES) throw new ViaductError('BAD_ROUTE', 'it is too large for an input file');
    return parseInput(decode(bytes));
  } catch (error) {
    throw withContext(error, (message) => `${label}: ${message}`);
  }
}

/** Reads to the end, or until the size limit is exceeded. */
async function readBeginning(stream: AsyncIterable<Buffer>, label: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of stream) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > INPUT_BYTES) break;
    }
  } catch (error) {
    throw new ViaductError('READ_FAILED', `cannot read ${label}: ${systemReason(error)}`, { cause: error });
  }
  return Buffer.concat(chunks);
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
