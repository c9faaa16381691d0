import type { Signal } from '../signal.js';
import { isIP } from 'node:net';
import type { ByteStream, Reading } from './byte-stream.js';

/** A stream that has answered, or ended, or from which nothing came. */
export interface Answer {
  readonly stream: ByteStream;
  /** Its first bytes. */
  readonly begin: Buffer;
  /** What is left of the limit, in ms. */
  readonly leftMs: number;
}

interface AnswerOptions {
  /** The host that was dialled. */
  readonly host: string;
  /** How long the whole head of the answer may take, in ms. */
  readonly limitMs: number;
  /** Dials the host again, but not this address, and sends the same request. */
  readonly another: (except: string) => Promise<ByteStream>;
  readonly signal: Signal;
}

/**
 * Waits for the first byte of an answer. An address of a name may accept connections and stay silent: after half of the limit
 * another one is tried once, beside it, and the first to answer counts; the other stream is reset. One that ends without an
 * answer counts only if no other can answer any more.
 */
export function firstAnswer(first: ByteStream, options: AnswerOptions): Answer | Promise<Answer> {
  const { host, limitMs } = options;
  return isIP(host) === 0
    ? answerOfName(first, options)
    : { stream: first, begin: Buffer.alloc(0), leftMs: limitMs };
}

async function answerOfName(first: ByteStream, options: AnswerOptions): Promise<Answer> {
  const { limitMs } = options;
  const startedAt = performance.now();
  const answer = await race(first, options);
  return { ...answer, leftMs: Math.max(1, limitMs - (performance.now() - startedAt)) };
}

function race(
  first: ByteStream,
  { limitMs, another, signal }: AnswerOptions,
): Promise<Omit<Answer, 'leftMs'>> {
  return new Promise((resolve) => {
    const waiting = new Map<ByteStream, { readonly reading: Reading; readonly forget: () => void }>();
    /** The first stream, if it has ended while the other address is still being dialled. */
    let ended: ByteStream | undefined;
    let isDialling = false;
    let isOver = false;
    const leave = (stream: ByteStream): void => {
      waiting.get(stream)?.reading.detach();
      waiting.get(stream)?.forget();
      waiting.delete(stream);
    };
    const settle = (stream: ByteStream, begin: Buffer): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      clearTimeout(end);
      signal.removeEventListener('abort', aborted);
      for (const other of Array.from(waiting.keys())) {
        leave(other);
        if (other !== stream) other.reset();
      }
      if (ended !== stream) ended?.reset();
      resolve({ stream, begin });
    };
    const settleWithout = (stream: ByteStream): void => settle(stream, Buffer.alloc(0));
    const leaveEnded = (stream: ByteStream): void => {
      leave(stream);
      if (waiting.size > 0) stream.reset();
      else if (isDialling) ended = stream;
      else settleWithout(stream);
    };
    const wait = (stream: ByteStream): void => {
      const reading = stream.attach({
        take: (chunk) => {
          settle(stream, Buffer.from(chunk));
          return false;
        },
        end: () => leaveEnded(stream),
      });
      waiting.set(stream, { reading, forget: stream.onClose(() => leaveEnded(stream)) });
      if (stream.closed) leaveEnded(stream);
      else reading.resume();
    };
    const aborted = (): void => settleWithout(first);
    const tryAnother = async (): Promise<void> => {
      isDialling = true;
      const second = await another(first.remote.host).catch(() => undefined);
      isDialling = false;
      if (isOver) second?.reset();
      else if (second !== undefined) wait(second);
      else if (ended !== undefined) settleWithout(ended);
    };
    // A stream that is still silent, if there is one, so that the failure is a timeout.
    const late = (): void => settleWithout(Array.from(waiting.keys())[0] ?? first);
    const timer = setTimeout(() => void tryAnother(), limitMs / 2);
    const end = setTimeout(late, limitMs);
    signal.addEventListener('abort', aborted);
    if (signal.aborted) aborted();
    else wait(first);
  });
}
