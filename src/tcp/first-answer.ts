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
  readonly signal: AbortSignal;
}

/**
 * Waits for the first byte of an answer. An address of a name may accept connections and stay silent: after half of the limit
 * another one is tried once, beside it, and the first to answer counts; the other stream is reset.
 */
export async function firstAnswer(first: ByteStream, options: AnswerOptions): Promise<Answer> {
  const { host, limitMs } = options;
  if (isIP(host) !== 0) return { stream: first, begin: Buffer.alloc(0), leftMs: limitMs };
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
      resolve({ stream, begin });
    };
    const ended = (stream: ByteStream): void => {
      if (waiting.size === 1) return settle(stream, Buffer.alloc(0));
      leave(stream);
      stream.reset();
    };
    const wait = (stream: ByteStream): void => {
      const reading = stream.attach({
        take: (chunk) => {
          settle(stream, Buffer.from(chunk));
          return false;
        },
        end: () => ended(stream),
      });
      waiting.set(stream, { reading, forget: stream.onClose(() => ended(stream)) });
      if (stream.closed) ended(stream);
      else reading.resume();
    };
    const aborted = (): void => settle(first, Buffer.alloc(0));
    const tryAnother = async (): Promise<void> => {
      const second = await another(first.remote.host).catch(() => undefined);
      if (second === undefined) return;
      if (isOver) second.reset();
      else wait(second);
    };
    const timer = setTimeout(() => void tryAnother(), limitMs / 2);
    const end = setTimeout(() => settle(first, Buffer.alloc(0)), limitMs);
    signal.addEventListener('abort', aborted);
    if (signal.aborted) aborted();
    else wait(first);
  });
}
