import type { FileHandle } from 'node:fs/promises';
import { segmentsOf } from '../../route/subtree.js';
import { notFound } from './open-path.js';

/** A folder that may be listed, open. */
export interface ServedFolder {
  readonly kind: 'folder';
  /** Undefined for the top of a node that serves nothing but shares. */
  readonly handle: FileHandle | undefined;
  /** Where to read it: what was opened, even if something else stands under its name now. */
  readonly path: string;
  readonly realPath: string;
  readonly modified: Date;
  /** Differs whenever the names may differ, as far as the file system's clock can tell. */
  readonly version: string;
}

/** The top of a node without a root. @throws ViaductError NOT_FOUND for all names but that of the top */
export function nothingAt(name: string): ServedFolder {
  if (segmentsOf(name).length > 0) throw notFound(name);
  const version = 'nothing';
  return { kind: 'folder', handle: undefined, path: '', realPath: '', modified: new Date(0), version };
}
