import {
  type ZipEntry,
  zipDescriptor,
  zipDescriptorLength,
  zipEnd,
  zipHeader,
  zipHeaderLength,
  zipRecord,
  zipRecordLength,
} from '../../../wire/zip.js';
import { Slices } from '../slices.js';
import type { Layout, Piece } from './piece.js';
import { type Plan, type PlannedFolder, entryName, plannedFile, plannedSize } from './plan.js';

/** An entry, and the file that it is of; a folder has none. */
interface Located {
  readonly entry: ZipEntry;
  /** Where its header begins. */
  readonly at: number;
  readonly folder: PlannedFolder;
  readonly file: number | undefined;
}

/** Where everything stands in the zip archive of a plan, which is sent from its beginning. */
export class ZipLayout implements Layout {
  readonly #plan: Plan;
  readonly #directory: { readonly offset: number; readonly length: number; readonly entries: number };
  readonly needsCrc = true;
  readonly size: number;

  private constructor(plan: Plan, offset: number, length: number) {
    this.#plan = plan;
    this.#directory = { offset, length, entries: plan.entries };
    this.size = offset + length + zipEnd(this.#directory, plan.comment).length;
  }

  static async of(plan: Plan): Promise<ZipLayout> {
    const slices = new Slices();
    let [at, directory] = [0, 0];
    const add = (name: string, size: number, descriptor: number): void => {
      directory += zipRecordLength(name, size, at);
      at += zipHeaderLength(name, size) + size + descriptor;
    };
    for (const folder of plan.folders) {
      if (slices.isOver) await slices.pause();
      add(entryName(plan, folder.path), 0, 0);
      for (const [index, name] of folder.files.entries()) {
        if (slices.isOver) await slices.pause();
        const size = plannedSize(folder, index);
        add(entryName(plan, folder.path + name), size, zipDescriptorLength(size));
      }
    }
    return new ZipLayout(plan, at, directory);
  }

  *from(): Generator<Piece> {
    const crcs = new Uint32Array(this.#plan.entries);
    let index = 0;
    for (const { entry, at, folder, file } of this.#entries()) {
      const own = index++;
      const header = zipHeader(entry);
      if (file === undefined) yield { at, bytes: () => header };
      else {
        const path = folder.path + (folder.files[file] ?? '');
        const trailer = (crc: number): Buffer => zipDescriptor(entry.size, (crcs[own] = crc));
        yield { at, header, file: { ...plannedFile(folder, file), path }, trailer };
      }
    }
    let record = this.#directory.offset;
    index = 0;
    for (const { entry, at } of this.#entries()) {
      const own = index++;
      yield { at: record, bytes: () => zipRecord(entry, crcs[own] ?? 0, at) };
      record += zipRecordLength(entry.name, entry.size, at);
    }
    yield { at: record, bytes: () => zipEnd(this.#directory, this.#plan.comment) };
  }

  *#entries(): Generator<Located> {
    let at = 0;
    for (const folder of this.#plan.folders) {
      const { path, modified } = folder;
      const entry = { name: entryName(this.#plan, path), size: 0, modified, isExecutable: false };
      yield { entry, at, folder, file: undefined };
      at += zipHeaderLength(entry.name, 0);
      for (const [file, name] of folder.files.entries()) {
        const own = { ...plannedFile(folder, file), name: entryName(this.#plan, path + name) };
        yield { entry: own, at, folder, file };
        at += zipHeaderLength(own.name, own.size) + own.size + zipDescriptorLength(own.size);
      }
    }
  }
}
