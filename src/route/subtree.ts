import { sep } from 'node:path';
import { encodeSegment, nameOfPath } from './url.js';

/**
 * A file or folder below a root, and all that is below it: the segments of its name, decoded. Empty: all of the root. It has
 * only this form, so that two of them are the same if and only if their segments are.
 */
export type Subtree = readonly string[];

/** All of a root. */
export const WHOLE_ROOT: Subtree = [];

const SEPARATOR = sep === '\\' ? /[/\\]/ : /\//;

/**
 * Reads the path of a subtree, as in a URL: `/photos/2024`, perhaps with a slash at its end. What a URL would not take for one
 * plain path is refused, as `..`, `.`, an empty segment, `?` and `#`: it may have been meant otherwise.
 * @returns undefined for a text that is none
 */
export function parseSubtree(text: string): Subtree | undefined {
  // U+FFFD: the file that it was read from is not UTF-8.
  if (!text.startsWith('/') || /[?#\\\s\0\ufffd]/.test(text)) return undefined;
  const name = decoded(text);
  if (name === undefined || name.includes('\0')) return undefined;
  if (text === '/') return WHOLE_ROOT;
  const segments = name.replace(/\/$/, '').split('/');
  const isPlain = text[1] !== '/' && !segments.some((segment) => ['', '.', '..'].includes(segment));
  return isPlain ? segments : undefined;
}

function decoded(text: string): string | undefined {
  try {
    // Characters of a target are bytes.
    return nameOfPath(Buffer.from(text).toString('latin1'));
  } catch {
    return undefined;
  }
}

/** The inverse of {@link parseSubtree}, in one form for each subtree. */
export function formatSubtree(subtree: Subtree): string {
  return `/${subtree.map(encodeSegment).join('/')}`;
}

/** The segments of a name that count, of which `..` may be one. */
export function segmentsOf(name: string): readonly string[] {
  return name.split(SEPARATOR).filter((segment) => segment !== '' && segment !== '.');
}

/**
 * Whether a name leads to the top of a subtree or below it, by whole segments and exact characters. It may be spelled in any
 * way that the system takes for the same, with empty segments and `.`; none with `..` is inside.
 * @param name relative to the root, decoded, as `nameOfPath` returns it
 */
export function isInside(name: string, subtree: Subtree): boolean {
  const segments = segmentsOf(name);
  return !segments.includes('..') && subtree.every((segment, index) => segment === segments[index]);
}
