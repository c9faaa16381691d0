import type { Signal } from '../../signal.js';
import type { ByteStream } from '../../tcp/byte-stream.js';
import type { Answer } from '../../tcp/first-answer.js';

interface FirstByteOptions {
  /** For the whole head of the answer, in ms; taking another connection has a limit of its own. */
  readonly limitMs: number;
  /** Takes another connection of the node, and sends the same request. */
  readonly another: () => Promise<ByteStream>;
  readonly signal: Signal;
  /** An answer without a byte is whole: on the classic wire, an empty file. */
  readonly mayBeEmpty: boolean;
}

/** As {@link Answer}; `isSilent`: nothing came in time. */
export interface ParkedAnswer extends Answer {
  readonly isSilent: boolean;
}

/**
 * Waits for the first byte of a parked node's answer. A connection that was ready may have died unnoticed: one that breaks
 * before its first byte is replaced by another one, once.
 */
export async function answerOfParked(first: ByteStream, options: FirstByteOptions): Promise<ParkedAnswer> {
  const { limitMs, another, signal, mayBeEmpty } = options;
  const startedAt = performance.now();
  const leftMs = (): number => Math.max(1, limitMs - (performance.now() - startedAt));
  let stream = first;
  let came = await firstBytes(stream, limitMs, signal);
  const isDead = came === 'broken' || (came === 'ended' && !mayBeEmpty);
  if (isDead && !signal.aborted) {
    stream.reset();
    stream = await another();
    came = await firstBytes(stream, leftMs(), signal);
  }
  const begin = typeof came === 'string' ? Buffer.alloc(0) : came;
  return { stream, begin, leftMs: leftMs(), isSilent: came === 'silent' };
}

/** The first chunk, or what came instead. The stream has no reader afterwards. */
function firstBytes(
  stream: ByteStream,
  limitMs: number,
  signal: Signal,
): Promise<Buffer | 'ended' | 'broken' | 'silent'> {
  return new Promise((resolve) => {
    const settle = (came: Buffer | 'ended' | 'broken' | 'silent'): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', silent);
      reading.detach();
      forget();
      resolve(came);
    };
    const silent = (): void => settle('silent');
    const timer = setTimeout(silent, limitMs);
    const reading = stream.attach({
      take: (chunk) => {
        settle(Buffer.from(chunk));
        return false;
      },
      end: () => settle('ended'),
    });
    const forget = stream.onClose(() => settle('broken'));
    signal.addEventListener('abort', silent, { once: true });
    if (stream.closed) settle('broken');
    else if (signal.aborted) silent();
    else reading.resume();
  });
}
