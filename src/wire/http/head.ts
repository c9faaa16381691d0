import { ViaductError } from '../../errors.js';

/** The head of an HTTP request or reply (RFC 9110 §5.4 leaves it to us; nginx and Node take 16 KiB too). */
export const HEAD_BYTES = 16 * 1024;

/** Fields of a head: each costs more than its bytes. Apache takes 100. */
const FIELDS = 200;

/** A request target (RFC 9110 §4.1 asks for at least 8,000). */
export const TARGET_BYTES = 8 * 1024;

/*
 * The heads of HTTP/1.1 (RFC 9112 §2 to §6), read strictly: CRLF only, one space between the parts of the
 * first line, no white space before a colon, no obsolete folding, no control characters. What a lenient
 * neighbour might read differently is refused, so that all nodes agree on where a message ends.
 */

/** A field as it stands on the wire; values are latin1 strings without surrounding white space. */
export type Field = readonly [name: string, value: string];

export interface RequestHead {
  readonly method: string;
  /** As it stands in the request line. */
  readonly target: string;
  /** The x of HTTP/1.x. */
  readonly minor: number;
  readonly fields: readonly Field[];
}

export interface ReplyHead {
  /** 100 to 999. */
  readonly status: number;
  readonly reason: string;
  readonly minor: number;
  readonly fields: readonly Field[];
}

/** A head and what follows it, or undefined while it is incomplete. */
export interface Split {
  readonly head: Buffer;
  readonly rest: Buffer;
}

const HEAD_END_LENGTH = 4;
/** What is no part of a line, nor its end. */
const STRAY = /\0|\r(?!\n)|(?<!\r)\n/;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** field-value of RFC 9110 §5.5: visible characters, obs-text, space and tab. */
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Cuts off a whole head, its empty line included. One that ends in a bare LF is cut off as well, so that
 * the parser refuses it at once; to wait for a CRLF would end at a deadline.
 * @throws ViaductError HEAD_TOO_LARGE past 16 KiB
 */
export function splitHead(bytes: Buffer): Split | undefined {
  const end = endOfHead(bytes.subarray(0, HEAD_BYTES));
  if (end !== undefined) return { head: bytes.subarray(0, end), rest: bytes.subarray(end) };
  if (bytes.length > HEAD_BYTES)
    throw new ViaductError('HEAD_TOO_LARGE', `the head has more than ${HEAD_BYTES} bytes`);
  return undefined;
}

/** Searches no further than the first end: many heads may stand one behind the other. */
function endOfHead(bytes: Buffer): number | undefined {
  const crlf = bytes.indexOf('\n\r\n');
  const lf = bytes.subarray(0, crlf === -1 ? undefined : crlf + 1).indexOf('\n\n');
  if (lf !== -1) return lf + 2;
  return crlf === -1 ? undefined : crlf + 3;
}

/**
 * A request head, with the framing rules that hold for every request checked.
 * @throws ViaductError BAD_REQUEST, HEAD_TOO_LARGE past 200 fields, URI_TOO_LONG or VERSION_NOT_SUPPORTED
 */
export function parseRequestHead(head: Buffer): RequestHead {
  const lines = linesOf(head, 'BAD_REQUEST');
  const [first = ''] = lines;
  const parts = /^([^ ]+) ([\x21-\x7e\x80-\xff]+) HTTP\/(\d)\.(\d)$/.exec(first);
  const [, method = '', target = '', major, minor] = parts ?? [];
  if (parts === null || !TOKEN.test(method)) throw bad('the request line is malformed');
  if (major !== '1') throw new ViaductError('VERSION_NOT_SUPPORTED', 'only HTTP/1.0 and HTTP/1.1 are spoken');
  if (target.length > TARGET_BYTES) {
    throw new ViaductError('URI_TOO_LONG', `the target has more than ${TARGET_BYTES} bytes`);
  }
  const fields = parseFields(lines, 'BAD_REQUEST');
  const request = { method, target, minor: Number(minor), fields };
  checkHost(request);
  checkFraming(request, 'BAD_REQUEST');
  checkNoBody(request);
  return request;
}

/**
 * A reply head.
 * @throws ViaductError BAD_REPLY
 */
export function parseReplyHead(head: Buffer): ReplyHead {
  const lines = linesOf(head, 'BAD_REPLY');
  const [first = ''] = lines;
  const parts = /^HTTP\/1\.(\d) ([1-9]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?$/.exec(first);
  if (parts === null) throw new ViaductError('BAD_REPLY', 'the status line is malformed');
  const [, minor, status, reason = ''] = parts;
  const fields = parseFields(lines, 'BAD_REPLY');
  const reply = { status: Number(status), reason, minor: Number(minor), fields };
  checkFraming(reply, 'BAD_REPLY');
  return reply;
}

/** First line and fields as bytes, closed by the empty line. */
export function formatHead(first: string, fields: readonly Field[]): Buffer {
  let text = `${first}\r\n`;
  for (const [name, value] of fields) text += `${name}: ${value}\r\n`;
  return Buffer.from(`${text}\r\n`, 'latin1');
}

/** All values of a field, in order, by its lower-case name. */
export function valuesOf(fields: readonly Field[], name: string): string[] {
  const values: string[] = [];
  for (const [field, value] of fields)
    if (field.length === name.length && field.toLowerCase() === name) values.push(value);
  return values;
}

/** The value of a field by its lower-case name; undefined if there is none, or more than one. */
export function fieldOf(fields: readonly Field[], name: string): string | undefined {
  const values = valuesOf(fields, name);
  return values.length === 1 ? values[0] : undefined;
}

/** The members of a comma-separated list field (RFC 9110 §5.6.1), empty ones left out. */
export function listOf(fields: readonly Field[], name: string): string[] {
  const values = valuesOf(fields, name);
  const [value, another] = values;
  // Most of them: a list of one costs a relay of small replies too much to be taken apart several times.
  if (value === undefined || (another === undefined && PLAIN_MEMBER.test(value))) return values;
  const members = values.join(',').split(',');
  return members.map((member) => member.trim()).filter((member) => member !== '');
}

const PLAIN_MEMBER = /^[\w-]+$/;

/** Whether whoever sent it, a request or a reply, keeps the connection (RFC 9112 §9.3). */
export function isKeptAlive({ minor, fields }: Pick<RequestHead, 'minor' | 'fields'>): boolean {
  return minor >= 1 && !listOf(fields, 'connection').some((option) => option.toLowerCase() === 'close');
}

function linesOf(head: Buffer, code: 'BAD_REQUEST' | 'BAD_REPLY'): string[] {
  const text = head.toString('latin1');
  if (!text.endsWith('\r\n\r\n') || STRAY.test(text))
    throw new ViaductError(code, 'a line does not end in CRLF');
  const lines = text.slice(0, -HEAD_END_LENGTH).split('\r\n');
  if (lines.length > FIELDS + 1)
    throw new ViaductError(
      code === 'BAD_REPLY' ? code : 'HEAD_TOO_LARGE',
      `the head has more than ${FIELDS} fields`,
    );
  return lines;
}

/** @param lines of a head, the first one included */
function parseFields(lines: readonly string[], code: 'BAD_REQUEST' | 'BAD_REPLY'): Field[] {
  const fields: Field[] = [];
  for (let at = 1; at < lines.length; at += 1) fields.push(parseField(lines[at] ?? '', code));
  return fields;
}

function parseField(line: string, code: 'BAD_REQUEST' | 'BAD_REPLY'): Field {
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(colon, 0));
  const value = trimBlanks(line.slice(colon + 1));
  if (/^[\t ]/.test(line)) throw new ViaductError(code, 'a header field is folded');
  if (!TOKEN.test(name)) throw new ViaductError(code, 'a header field has a malformed name');
  if (!FIELD_VALUE.test(value)) throw new ViaductError(code, `${name} has a control character`);
  return [name, value];
}

/** Without spaces and tabs at both ends. Not by a regular expression: one that ends in `$` is quadratic in runs of blanks. */
function trimBlanks(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && isBlank(text[start])) start += 1;
  while (end > start && isBlank(text[end - 1])) end -= 1;
  return text.slice(start, end);
}

function isBlank(char: string | undefined): boolean {
  return char === ' ' || char === '\t';
}

/** RFC 9112 §3.2: exactly one Host in HTTP/1.1, at most one in HTTP/1.0, and a valid one. */
function checkHost({ minor, fields }: RequestHead): void {
  const hosts = valuesOf(fields, 'host');
  if (hosts.length > 1) throw bad('Host occurs twice');
  if (hosts.length === 0 && minor >= 1) throw bad('Host is missing');
  const valid = /^(?:\[[0-9a-f:.]+\]|[a-z0-9\-._~!$&'()*+,;=%]*)(?::\d*)?$/i;
  if (hosts[0] !== undefined && !valid.test(hosts[0])) throw bad('Host is malformed');
}

/** RFC 9112 §6: a length that two readers could understand differently is refused. */
function checkFraming(
  { minor, fields }: Pick<RequestHead, 'minor' | 'fields'>,
  code: 'BAD_REQUEST' | 'BAD_REPLY',
): void {
  const lengths = valuesOf(fields, 'content-length');
  const codings = valuesOf(fields, 'transfer-encoding');
  const refuse = (message: string): ViaductError => new ViaductError(code, message);
  if (lengths.length > 1) throw refuse('Content-Length occurs twice');
  if (codings.length > 1) throw refuse('Transfer-Encoding occurs twice');
  if (lengths.length > 0 && codings.length > 0)
    throw refuse('Content-Length and Transfer-Encoding exclude each other');
  if (codings.length > 0 && minor === 0) throw refuse('HTTP/1.0 has no Transfer-Encoding');
  if (lengths[0] !== undefined && !/^\d{1,15}$/.test(lengths[0])) throw refuse('Content-Length is malformed');
}

function checkNoBody({ method, fields }: RequestHead): void {
  const [length = '0'] = valuesOf(fields, 'content-length');
  const hasBody = valuesOf(fields, 'transfer-encoding').length > 0 || Number(length) > 0;
  if (hasBody && (method === 'GET' || method === 'HEAD')) throw bad(`${method} has no body here`);
}

function bad(message: string): ViaductError {
  return new ViaductError('BAD_REQUEST', message);
}
