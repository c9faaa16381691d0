import { visible } from '../../../text.js';
import { replaceBytes } from '../../../route/name.js';
import { type LeftOut, leftOutText } from '../../../wire/http/archive.js';

/** Names in the comment of an archive. */
const NAMED_MAX = 100;

/** Counts what an archive leaves out, and names the first of it. */
export class LeftOutNames {
  readonly #counts: Record<keyof LeftOut, number> = { links: 0, special: 0, unreadable: 0 };
  readonly #lines: string[] = [];

  /** Whether a further name would stand in the comment. */
  get hasRoom(): boolean {
    return this.#lines.length < NAMED_MAX;
  }

  get counts(): LeftOut {
    return { ...this.#counts };
  }

  /** @param path undefined if clients may not see the name */
  add(reason: keyof LeftOut, path: string | undefined): void {
    this.#counts[reason] += 1;
    if (path === undefined || !this.hasRoom) return;
    const shown = visible(replaceBytes(path, (byte) => `\\x${byte.toString(16)}`));
    this.#lines.push(`${reason}: ${shown}`);
  }

  /** For people; empty for nothing. */
  get comment(): string {
    const text = leftOutText(this.#counts);
    if (text === '') return '';
    const { links, special, unreadable } = this.#counts;
    const more = links + special + unreadable > this.#lines.length ? ['…'] : [];
    return [`left out: ${text}`, ...this.#lines, ...more].join('\n');
  }
}
