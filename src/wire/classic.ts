import { ViaductError } from '../errors.js';

import { type Hop, hopWords, parseHop } from '../route/hop.js';
import { type Source } from '../route/input-file.js';
import { visible } from '../text.js';

/** A classic message, its closing empty line included: the original reads it with one `recv(4096)`. */
export const MESSAGE_BYTES = 4096;

/*
 * The classic message (docs/protocol.md, "Message"):
 *
 *   message = name LF *( host SP port [ SP class ] LF ) [ LF ]     ; UTF-8, at most 4,096 bytes; `~attic 0` is a parked node
 *
 * The route in it is what is left of it: without the hop that the message is sent to. The class of the client stands in
 * every hop line: originals ignore a third word, and pass it on with the line.
 */

/** A message as a node reads it. */
export interface Message extends Source {
  /** The third words of its hop lines. */
  readonly classes: readonly string[];
}

const LF = 0x0a;
const CR = 0x0d;

/**
 * The bytes of a message, with the empty line that marks its end for a viaduct node.
 * @param source the file and the hops that are left after the receiver
 * @param clientClass the class of the client, for the receiver
 * @throws ViaductError MESSAGE_TOO_LONG, or BAD_ROUTE for a name that one line cannot hold
 */
export function encodeMessage({ name, route }: Source, clientClass?: string): Buffer {
  const third = clientClass === undefined ? '' : ` ${clientClass}`;
  const lines = [name, ...route.map((hop) => `${hopWords(hop).join(' ')}${third}`)];
  // A line break in a name would be a hop to the receiver, and so another file of another host.
  const broken = lines.find((line) => line === '' || /[\n\0]|\r$/.test(line));
  if (broken !== undefined)
    throw new ViaductError('BAD_ROUTE', `a message cannot carry "${visible(broken)}"`);
  const bytes = Buffer.from(`${lines.join('\n')}\n\n`);
  if (bytes.length > MESSAGE_BYTES) {
    throw new ViaductError(
      'MESSAGE_TOO_LONG',
      `the message has ${bytes.length} bytes; the classic wire carries at most ${MESSAGE_BYTES}`,
    );
  }
  return bytes;
}

/** What can be said of the bytes that have come so far. */
export type Scan =
  | { readonly ended: true; readonly message: Buffer; readonly rest: Buffer }
  | { readonly ended: false; readonly endsWithLine: boolean };

/** Looks for the empty line that ends a message at once; `rest` is what follows it. */
export function scanMessage(bytes: Buffer): Scan {
  for (let start = 0; ;) {
    const end = bytes.indexOf(LF, start);
    if (end === -1) return { ended: false, endsWithLine: bytes.length > 0 && start === bytes.length };
    if (end === start || (end === start + 1 && bytes[start] === CR)) {
      return { ended: true, message: bytes.subarray(0, start), rest: bytes.subarray(end + 1) };
    }
    start = end + 1;
  }
}

/**
 * The name and the hops left, from a whole message. Reads it as the original does: split at LF,
 * trailing empty pieces dropped, the first two words of each hop line; CR before LF is dropped.
 * @throws ViaductError BAD_MESSAGE or MESSAGE_TOO_LONG
 */
export function decodeMessage(bytes: Buffer): Message {
  if (bytes.length > MESSAGE_BYTES) {
    throw new ViaductError('MESSAGE_TOO_LONG', `the message has more than ${MESSAGE_BYTES} bytes`);
  }
  const lines = decodeText(bytes)
    .split('\n')
    .map((line) => line.replace(/\r$/, ''));
  while (lines.at(-1) === '') lines.pop();
  const [name, ...hopLines] = lines;
  if (name === undefined || name === '') throw new ViaductError('BAD_MESSAGE', 'the message is empty');
  if (name.includes('\0')) throw new ViaductError('BAD_MESSAGE', 'the file name has a NUL');
  const words = hopLines.map((line) => line.trim().split(/\s+/));
  const route = words.map((hop, index) => decodeHop(hop, hopLines[index] ?? ''));
  return { name, route, classes: words.flatMap(([, , third]) => third ?? []) };
}

function decodeText(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new ViaductError('BAD_MESSAGE', 'the message is not UTF-8 text', { cause: error });
  }
}

function decodeHop([host, port]: readonly string[], line: string): Hop {
  if (host === undefined || (port === undefined && !host.startsWith('~'))) {
    throw new ViaductError('BAD_MESSAGE', `expected a line "host port", found "${visible(line)}"`);
  }
  try {
    return parseHop(host, port);
  } catch (error) {
    if (!(error instanceof ViaductError)) throw error;
    throw new ViaductError('BAD_MESSAGE', error.message, { cause: error });
  }
}
