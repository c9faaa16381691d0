import type { TestContext } from 'node:test';
import type { HostHop } from 'viaduct';
import { testNode } from '../support/nodes.js';
import { OriginalServer } from './original.js';

export const MIB = 1024 * 1024;
/** Spaces belong to the name, as the original has it. */
export const NAME = 'a picture of 5 MiB.jpg';

/** `V`: a viaduct node; `O`: a program like the original. */
export type Kind = 'V' | 'O';

export async function startHop(
  t: TestContext,
  kind: Kind,
  root: string,
  options: readonly string[] = [],
): Promise<HostHop> {
  return kind === 'V'
    ? (await testNode(t, { root })).hop
    : (await OriginalServer.start(t, root, options)).hop;
}

export async function startRoute(
  t: TestContext,
  kinds: readonly Kind[],
  root: string,
  options: readonly string[] = [],
): Promise<readonly HostHop[]> {
  return Promise.all(kinds.map((kind) => startHop(t, kind, root, options)));
}

/** How a program may write its request, and the options of the originals for it. */
export const REQUESTS: readonly (readonly [string, readonly string[]])[] = [
  ['with a final newline', []],
  ['without a final newline', ['--no-final-newline']],
  ['with CRLF', ['--crlf']],
  ['with CRLF, but for the last line', ['--crlf', '--no-final-newline']],
];
