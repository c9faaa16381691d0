import {
  type TarEntry,
  TAR_END,
  tarHeader,
  tarHeaderLength,
  tarPadding,
  tarStart,
} from '../../../wire/tar.js';
import { Slices } from '../slices.js';
import type { Layout, Piece } from './piece.js';
import { type Plan, type PlannedFolder, entryName, plannedFile, plannedSize } from './plan.js';

const LAYOUTS = new WeakMap<Plan, Promise<TarLayout>>();

/** Where everything stands in the archive of a plan. */
export class TarLayout implements Layout {
  readonly #plan: Plan;
  readonly #start: Buffer;
  /** Of each folder, where its header begins. */
  readonly #folders: Float64Array;
  /** Of each file of each folder, where its header begins. */
  readonly #files: readonly Float64Array[];
  readonly needsCrc = false;
  readonly size: number;

  private constructor(
    plan: Plan,
    start: Buffer,
    folders: Float64Array,
    files: readonly Float64Array[],
    size: number,
  ) {
    this.#plan = plan;
    this.#start = start;
    this.#folders = folders;
    this.#files = files;
    this.size = size;
  }

  /** Made once for each plan. */
  static of(plan: Plan): Promise<TarLayout> {
    const made = LAYOUTS.get(plan) ?? TarLayout.#make(plan);
    LAYOUTS.set(plan, made);
    return made;
  }

  static async #make(plan: Plan): Promise<TarLayout> {
    const slices = new Slices();
    const start = tarStart(plan.comment);
    const folders = new Float64Array(plan.folders.length);
    const files: Float64Array[] = [];
    let at = start.length;
    for (const [index, folder] of plan.folders.entries()) {
      if (slices.isOver) await slices.pause();
      folders[index] = at;
      at += folderHeader(plan, folder).length;
      const starts = new Float64Array(folder.files.length);
      for (let file = 0; file < starts.length; file += 1) {
        if (slices.isOver) await slices.pause();
        starts[file] = at;
        const size = plannedSize(folder, file);
        at += tarHeaderLength(nameOf(plan, folder, file), size) + size + tarPadding(size);
      }
      files.push(starts);
    }
    return new TarLayout(plan, start, folders, files, at + TAR_END.length);
  }

  *from(position: number): Generator<Piece> {
    if (position < this.#start.length) yield { at: 0, bytes: () => this.#start };
    const first = lastUpTo(this.#folders, position);
    for (let index = Math.max(0, first); index < this.#folders.length; index += 1) {
      const [folder, starts, at] = [this.#plan.folders[index], this.#files[index], this.#folders[index]];
      if (folder === undefined || starts === undefined || at === undefined) return;
      const file = index === first ? lastUpTo(starts, position) : -1;
      if (file === -1) yield { at, bytes: () => folderHeader(this.#plan, folder) };
      yield* this.#filesOf(folder, starts, Math.max(0, file));
    }
    yield { at: this.size - TAR_END.length, bytes: () => TAR_END };
  }

  *#filesOf(folder: PlannedFolder, starts: Float64Array, from: number): Generator<Piece> {
    for (const [index, at] of starts.subarray(from).entries()) {
      const file = from + index;
      const entry = fileEntry(this.#plan, folder, file);
      const path = folder.path + (folder.files[file] ?? '');
      const trailer = (): Buffer => Buffer.alloc(tarPadding(entry.size));
      yield { at, header: tarHeader(entry), file: { ...plannedFile(folder, file), path }, trailer };
    }
  }
}

function folderHeader(plan: Plan, { path, modified }: PlannedFolder): Buffer {
  return tarHeader({ name: entryName(plan, path), size: 0, modified, isExecutable: false });
}

function fileEntry(plan: Plan, folder: PlannedFolder, index: number): TarEntry {
  const { size, modified, isExecutable } = plannedFile(folder, index);
  return { name: nameOf(plan, folder, index), size, modified, isExecutable };
}

function nameOf(plan: Plan, { path, files }: PlannedFolder, index: number): string {
  return entryName(plan, path + (files[index] ?? ''));
}

/** The index of the last of sorted positions that is not behind one; -1 if all are. */
function lastUpTo(positions: Float64Array, position: number): number {
  let [low, high] = [0, positions.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((positions[middle] ?? 0) <= position) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
