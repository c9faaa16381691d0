import { randomBytes } from 'node:crypto';
import { ViaductError } from '../../errors.js';
import { SPEED_NAME } from '../../route/url.js';
import type { Reply } from './reply.js';

/** What one test may send at most. */
const SPEED_BYTES = 1024 ** 3;
/** Tests at the same time. */
const SPEED_TESTS = 4;

/** Random, so that nothing on the way can compress it, and the same again and again. */
const BLOCK_BYTES = 256 * 1024;
let block: Buffer | undefined;

/** Bytes that a node makes itself, for clients that measure how fast a route is. */
export class SpeedTests {
  readonly #isAllowed: boolean;
  #running = 0;

  constructor(isAllowed: boolean) {
    this.#isAllowed = isAllowed;
  }

  /** Whether a name means a test: `.viaduct/speed/BYTES`. */
  static isNamed(name: string): boolean {
    return name.startsWith(`${SPEED_NAME}/`);
  }

  /**
   * @param release to be called when the reply was sent, or cannot be
   * @throws ViaductError FORBIDDEN if the node allows none, UNAVAILABLE if there are too many, NOT_FOUND for another name
   */
  open(name: string): { readonly reply: Reply; readonly release: () => void } {
    if (!this.#isAllowed)
      throw new ViaductError('FORBIDDEN', 'speed tests are not served here (--no-speed-test)');
    const [, digits] = /^\/(\d{1,12})$/.exec(name.slice(SPEED_NAME.length)) ?? [];
    if (digits === undefined) throw new ViaductError('NOT_FOUND', 'a speed test has a number of bytes');
    if (this.#running >= SPEED_TESTS)
      throw new ViaductError('UNAVAILABLE', `${SPEED_TESTS} speed tests are running already`);
    this.#running += 1;
    block ??= randomBytes(BLOCK_BYTES);
    return {
      reply: {
        status: 200,
        fields: [
          ['Content-Type', 'application/octet-stream'],
          ['Cache-Control', 'no-store'],
        ],
        body: { repeated: block, length: Math.min(Number(digits), SPEED_BYTES) },
      },
      release: () => {
        this.#running -= 1;
      },
    };
  }
}
