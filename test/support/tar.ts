import assert from 'node:assert/strict';
import { nameOfBytes } from '#src/route/name.js';

/** An entry of a tar archive, as POSIX has it. */
export interface ReadEntry {
  readonly name: string;
  readonly type: 'file' | 'folder';
  readonly mode: number;
  readonly modified: number;
  readonly content: Buffer;
}

interface ReadArchive {
  readonly comment: string | undefined;
  readonly entries: readonly ReadEntry[];
}

const BLOCK = 512;

/** Reads an archive strictly: every checksum, every padding and the end have to be right. */
export function readTar(bytes: Buffer): ReadArchive {
  const entries: ReadEntry[] = [];
  let comment: string | undefined;
  let extended = new Map<string, Buffer>();
  for (let at = 0; ;) {
    const header = bytes.subarray(at, at + BLOCK);
    assert.equal(header.length, BLOCK, 'it ends too early');
    if (header.every((byte) => byte === 0)) {
      assert.ok(bytes.subarray(at).every((byte) => byte === 0));
      assert.equal(bytes.length - at, 2 * BLOCK, 'two blocks of zeros end it');
      return { comment, entries };
    }
    checkHeader(header);
    const size = Number(extended.get('size')?.toString() ?? octal(header, 124, 12));
    const content = bytes.subarray(at + BLOCK, at + BLOCK + size);
    const next = at + BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    assert.ok(bytes.subarray(at + BLOCK + size, next).every((byte) => byte === 0));
    at = next;
    const type = header.toString('latin1', 156, 157);
    if (type === 'x') extended = recordsOf(content);
    else if (type === 'g') comment = recordsOf(content).get('comment')?.toString();
    else {
      assert.match(type, /[05]/);
      const name = nameOfBytes(extended.get('path') ?? ustarName(header));
      entries.push({
        name,
        type: type === '5' ? 'folder' : 'file',
        mode: octal(header, 100, 8),
        modified: octal(header, 136, 12),
        content,
      });
      extended = new Map();
    }
  }
}

function checkHeader(header: Buffer): void {
  const sum = header.reduce((all, byte, at) => all + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  assert.equal(octal(header, 148, 8), sum, 'the checksum');
  assert.equal(header.toString('latin1', 257, 265), 'ustar\x0000');
  assert.deepEqual([octal(header, 108, 8), octal(header, 116, 8)], [0, 0], 'no owner');
  assert.equal(header.toString('latin1', 265, 329).replaceAll('\0', ''), '', 'no name of an owner');
}

function octal(header: Buffer, at: number, length: number): number {
  const [, digits] = /^([0-7]+)[\0 ]+$/.exec(header.toString('latin1', at, at + length)) ?? [];
  assert.ok(digits, `no number at ${at}`);
  return Number.parseInt(digits, 8);
}

function ustarName(header: Buffer): Buffer {
  const text = (at: number, length: number): Buffer => {
    const field = header.subarray(at, at + length);
    const end = field.indexOf(0);
    return end === -1 ? field : field.subarray(0, end);
  };
  const [name, prefix] = [text(0, 100), text(345, 155)];
  return prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from('/'), name]);
}

/** `LENGTH key=value LF`, again and again. */
function recordsOf(bytes: Buffer): Map<string, Buffer> {
  const records = new Map<string, Buffer>();
  for (let rest = bytes; rest.length > 0;) {
    const [, digits = ''] = /^([1-9]\d*) /.exec(rest.toString('latin1', 0, 20)) ?? assert.fail('no record');
    const record = rest.subarray(digits.length + 1, Number(digits));
    assert.equal(record.at(-1), 0x0a);
    const equals = record.indexOf('=');
    records.set(record.toString('latin1', 0, equals), record.subarray(equals + 1, -1));
    rest = rest.subarray(Number(digits));
  }
  return records;
}
