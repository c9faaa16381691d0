import assert from 'node:assert/strict';
import { crc32 } from 'node:zlib';

interface ReadEntry {
  readonly name: string;
  readonly mode: number;
  /** Seconds since 1970. */
  readonly modified: number;
  readonly content: Buffer;
}

/** Reads a stored archive below 4 GiB strictly: directory, headers, descriptors and checksums have to agree, with nothing between. */
export function readZip(bytes: Buffer): { readonly comment: string; readonly entries: readonly ReadEntry[] } {
  const end = bytes.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  const comment = bytes.subarray(end + 22);
  assert.equal(bytes.readUInt16LE(end + 20), comment.length);
  const [length, begin] = [bytes.readUInt32LE(end + 12), bytes.readUInt32LE(end + 16)];
  assert.equal(begin + length, end, 'the directory stands before its end');
  const entries: ReadEntry[] = [];
  let [at, expected] = [begin, 0];
  while (at < end) {
    assert.equal(bytes.toString('latin1', at, at + 4), 'PK\x01\x02');
    const [crc, size] = [bytes.readUInt32LE(at + 16), bytes.readUInt32LE(at + 24)];
    assert.equal(bytes.readUInt32LE(at + 20), size, 'stored');
    const [nameLength, extraLength] = [bytes.readUInt16LE(at + 28), bytes.readUInt16LE(at + 30)];
    const name = bytes.subarray(at + 46, at + 46 + nameLength);
    const extra = bytes.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength);
    const offset = bytes.readUInt32LE(at + 42);
    assert.equal(offset, expected, 'no gap');
    const start = checkHeader(bytes, offset, name, extra);
    const content = bytes.subarray(start, start + size);
    assert.equal(crc32(content), crc);
    expected = start + size;
    if (!name.toString().endsWith('/')) expected = checkDescriptor(bytes, expected, crc, size);
    assert.equal(extra.toString('latin1', 0, 5), 'UT\x05\x00\x01');
    const mode = bytes.readUInt32LE(at + 38) >>> 16;
    entries.push({ name: name.toString(), mode, modified: extra.readUInt32LE(5), content });
    at += 46 + nameLength + extraLength;
  }
  assert.equal(expected, begin);
  assert.equal(bytes.readUInt16LE(end + 10), entries.length);
  return { comment: comment.toString(), entries };
}

/** @returns where the bytes of the file begin */
function checkHeader(bytes: Buffer, at: number, name: Buffer, extra: Buffer): number {
  assert.equal(bytes.toString('latin1', at, at + 4), 'PK\x03\x04');
  assert.equal(bytes.readUInt16LE(at + 8), 0, 'stored');
  const [nameLength, extraLength] = [bytes.readUInt16LE(at + 26), bytes.readUInt16LE(at + 28)];
  const nameAt = at + 30;
  assert.ok(bytes.subarray(nameAt, nameAt + nameLength).equals(name));
  assert.ok(bytes.subarray(nameAt + nameLength, nameAt + nameLength + extraLength).equals(extra));
  return nameAt + nameLength + extraLength;
}

/** @returns where it ends */
function checkDescriptor(bytes: Buffer, at: number, crc: number, size: number): number {
  assert.equal(bytes.toString('latin1', at, at + 4), 'PK\x07\x08');
  const found = [4, 8, 12].map((offset) => bytes.readUInt32LE(at + offset));
  assert.deepEqual(found, [crc, size, size]);
  return at + 16;
}
