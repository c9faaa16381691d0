import { join } from 'node:path';
import { systemReason } from '../errors.js';
import { readSmallFile } from '../files/small-file.js';
import { visible } from '../text.js';
import { checkStateFolder } from './state-folder.js';
import { cannotRead } from './state-lines.js';

/** A hundred thousand lines. */
const MAX_BYTES = 16 * 1024 * 1024;

const READABLE_BY_OTHERS = 0o044;

/** A text file of the state folder that several processes change, and users too. */
export interface StateFile<T> {
  readonly name: string;
  /** @throws ViaductError READ_FAILED that names the wrong line */
  readonly parse: (path: string, text: string) => T;
  /** Nobody else may read it either. @default false */
  readonly isSecret?: boolean;
}

/**
 * The same file for a process that reads it often: a text is parsed only if it is not that of the last time, also one that
 * is malformed.
 */
export function parsedOnce<T>({ parse, ...file }: StateFile<T>): StateFile<T> {
  let last: { readonly path: string; readonly text: string; readonly content: () => T } | undefined;
  return {
    ...file,
    parse: (path, text) => {
      if (last?.text !== text || last.path !== path)
        last = { path, text, content: resultOf(() => parse(path, text)) };
      return last.content();
    },
  };
}

/** Returns what a function returned, or throws what it threw, again and again. */
function resultOf<T>(make: () => T): () => T {
  try {
    const made = make();
    return () => made;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

export function pathOfStateFile(stateFolder: string, { name }: { readonly name: string }): string {
  return join(stateFolder, name);
}

/**
 * Reads a file of the state folder. One that does not exist is empty.
 * @throws ViaductError READ_FAILED if it cannot be read, a line is malformed, or others may write to it
 */
export async function readStateFile<T>(stateFolder: string, file: StateFile<T>): Promise<T> {
  const path = pathOfStateFile(stateFolder, file);
  if (!(await checkStateFolder(stateFolder))) return file.parse(path, '');
  const isSecret = file.isSecret ?? false;
  const read = await readSmallFile(path, MAX_BYTES).catch((error: unknown) => {
    throw cannotRead(path, systemReason(error), error);
  });
  if (read === 'missing') return file.parse(path, '');
  if ('text' in read) {
    if (isSecret && (read.mode & READABLE_BY_OTHERS) !== 0 && process.geteuid !== undefined)
      throw cannotRead(path, `it is readable by others; run: chmod 600 ${visible(path)}`);
    return file.parse(path, read.text);
  }
  const remedy = read.unusable === 'is writable by others' ? `; run: chmod go-w ${visible(path)}` : '';
  throw cannotRead(path, `it ${read.unusable}${remedy}`);
}
