import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { HostHop } from 'viaduct';
import { exchange } from './raw.js';

/** One reply, taken off the wire as strictly as RFC 9112 has it. */
export interface StrictReply {
  readonly status: number;
  readonly minor: number;
  /** By lower-case name; several lines are joined by `, `. */
  readonly fields: Readonly<Record<string, string>>;
  /** Without its framing. */
  readonly body: Buffer;
}

/**
 * All replies in what a connection brought, to its last byte: anything that is no reply fails the test.
 * @param methods of the requests, in order; those not named were GET
 * @param ended the connection ended cleanly, so that a reply without length may take the rest
 */
export function repliesIn(bytes: Buffer, methods: readonly string[] = [], ended = true): StrictReply[] {
  const replies: StrictReply[] = [];
  let finals = 0;
  for (let rest = bytes; rest.length > 0;) {
    const end = rest.indexOf('\r\n\r\n');
    assert.notEqual(end, -1, `no reply: ${rest.toString('latin1').slice(0, 300)}`);
    const [line = '', ...lines] = rest.subarray(0, end).toString('latin1').split('\r\n');
    const [, minor, status] = /^HTTP\/1\.([01]) ([1-9]\d\d) [\t\x20-\x7e]*$/.exec(line) ?? [];
    assert.ok(status, `no status line: ${line}`);
    const head = { status: Number(status), minor: Number(minor), fields: fieldsOf(lines) };
    const method = head.status < 200 ? 'HEAD' : (methods[finals++] ?? 'GET');
    const { body, after } = bodyOf(head, rest.subarray(end + 4), method, ended);
    replies.push({ ...head, body });
    rest = after;
  }
  return replies;
}

function fieldsOf(lines: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const line of lines) {
    const [, name, value] = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+): ?([\t\x20-\x7e\x80-\xff]*)$/.exec(line) ?? [];
    assert.ok(name !== undefined && value !== undefined, `no field: ${line}`);
    const key = name.toLowerCase();
    fields[key] = key in fields ? `${fields[key]}, ${value}` : value;
  }
  return fields;
}

function bodyOf(
  { status, minor, fields }: Omit<StrictReply, 'body'>,
  rest: Buffer,
  method: string,
  ended: boolean,
): { body: Buffer; after: Buffer } {
  const { 'content-length': length, 'transfer-encoding': coding } = fields;
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) {
    return { body: Buffer.alloc(0), after: rest };
  }
  if (coding !== undefined) {
    assert.deepEqual([coding, length, minor], ['chunked', undefined, 1]);
    return chunksOf(rest);
  }
  if (length !== undefined) {
    assert.match(length, /^\d+$/);
    assert.ok(rest.length >= Number(length), `${rest.length} of ${length} bytes`);
    return { body: rest.subarray(0, Number(length)), after: rest.subarray(Number(length)) };
  }
  assert.equal(fields['connection'], 'close');
  assert.ok(ended, 'only a clean end can end such a body');
  return { body: rest, after: Buffer.alloc(0) };
}

function chunksOf(bytes: Buffer): { body: Buffer; after: Buffer } {
  const chunks: Buffer[] = [];
  for (let rest = bytes; ;) {
    const [line, digits = ''] = /^([0-9a-f]+)\r\n/.exec(rest.toString('latin1', 0, 20)) ?? [];
    assert.ok(line, `no chunk: ${rest.toString('latin1', 0, 50)}`);
    const size = Number.parseInt(digits, 16);
    const end = line.length + size;
    assert.equal(rest.toString('latin1', end, end + 2), '\r\n');
    if (size === 0) return { body: Buffer.concat(chunks), after: rest.subarray(end + 2) };
    chunks.push(rest.subarray(line.length, end));
    rest = rest.subarray(end + 2);
  }
}

/** Sends a request as it is, without FIN, and takes the one final reply that a connection may end with. */
export async function ask(t: TestContext, hop: HostHop, text: string | Buffer): Promise<StrictReply> {
  const { bytes, how } = await exchange(
    t,
    hop,
    typeof text === 'string' ? Buffer.from(text, 'latin1') : text,
  );
  assert.equal(how, 'end');
  const [method = ''] = text.toString().split(' ', 1);
  const replies = repliesIn(bytes, [method]);
  assert.equal(replies.length, 1, bytes.toString('latin1'));
  const [reply] = replies;
  assert.ok(reply);
  return reply;
}

/** Request line and fields as text, closed by the empty line. */
export function headOf(
  first: string,
  fields: readonly string[] = ['Host: localhost', 'Connection: close'],
): string {
  return [first, ...fields, '', ''].join('\r\n');
}

/** `GET` of a path, on a connection that ends with it. */
export function get(path: string, ...fields: readonly string[]): string {
  return headOf(`GET ${path} HTTP/1.1`, ['Host: localhost', 'Connection: close', ...fields]);
}
