import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { TestContext } from 'node:test';
import { type Item, parseList } from 'structured-headers';
import { type Route, formatHop } from 'viaduct';
import { formatTarget } from '#src/route/url.js';

/** `http://h1:1/@h2:2/path` */
export function urlOf([first, ...rest]: Route, path: string): string {
  assert.ok(first);
  return `http://${formatHop(first)}${formatTarget({ route: rest, path })}`;
}

/** A request as a client writes it by hand. */
export function requestOf(
  route: Route,
  path: string,
  fields: readonly string[] = ['Connection: close'],
  method = 'GET',
): string {
  const [first, ...rest] = route;
  assert.ok(first);
  const target = formatTarget({ route: rest, path });
  return [`${method} ${target} HTTP/1.1`, `Host: ${formatHop(first)}`, ...fields, '', ''].join('\r\n');
}

/** A reply as it came over the wire; the fields' names in lower case. */
export interface WireReply {
  readonly status: number;
  readonly fields: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** Takes one reply apart; its body is all that follows the head, framing included. */
export function parseReply(bytes: Buffer): WireReply {
  const end = bytes.indexOf('\r\n\r\n');
  assert.ok(end > 0, `no head in ${bytes.length} bytes: ${bytes.toString('latin1', 0, 200)}`);
  const [first = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const fields = new Map<string, string>();
  for (const line of lines) {
    const [, name = '', value = ''] = /^([^:]+): *(.*)$/.exec(line) ?? [];
    const key = name.toLowerCase();
    fields.set(key, [...(fields.has(key) ? [fields.get(key)] : []), value].join(', '));
  }
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1]);
  return { status, fields, body: bytes.subarray(end + 4) };
}

/** What a run of curl showed; without a head there is no reply. */
export interface CurlRun {
  readonly code: number;
  readonly stderr: string;
  readonly reply: WireReply | undefined;
}

/** Runs curl on a URL; it decodes chunks, so the body is the content. */
export async function curl(t: TestContext, url: string, args: readonly string[] = []): Promise<CurlRun> {
  const child = spawn('curl', ['-q', '-sS', '-i', '--noproxy', '*', '--max-time', '50', ...args, url]);
  t.after(() => child.kill('SIGKILL'));
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exit) => resolve(exit ?? -1));
  });
  const bytes = Buffer.concat(out);
  const reply = bytes.includes('\r\n\r\n') ? parseReply(withoutInterim(bytes)) : undefined;
  return { code, stderr: Buffer.concat(err).toString(), reply };
}

/** curl shows interim replies too. */
function withoutInterim(bytes: Buffer): Buffer {
  const rest = bytes.subarray(bytes.indexOf('\r\n\r\n') + 4);
  return /^HTTP\/1\.1 1\d\d /.test(bytes.toString('latin1', 0, 13)) && rest.length > 0
    ? withoutInterim(rest)
    : bytes;
}

/** The only member of `Proxy-Status` (RFC 9209): the error's type, its next hop, and the details. */
export function proxyStatusOf({
  fields,
}: WireReply): Readonly<Record<string, string | undefined>> | undefined {
  const text = fields.get('proxy-status');
  if (text === undefined) return undefined;
  const members = parseList(text);
  assert.equal(members.length, 1, text);
  const [name, parameters] = members[0] as Item;
  const named = (key: string): string | undefined => {
    const value = parameters.get(key);
    return value === undefined ? undefined : String(value);
  };
  return { by: String(name), error: named('error'), hop: named('next-hop'), details: named('details') };
}

/** A problem of RFC 9457, as nodes write them. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly hop: number;
  readonly address?: string;
}

export function problemOf({ fields, body }: WireReply): Problem {
  assert.equal(fields.get('content-type'), 'application/problem+json');
  return JSON.parse(body.toString()) as Problem;
}

/** True if a reply to GET says by itself that it is whole: its length has come, or its last chunk. */
export function isWhole({ fields, body }: WireReply): boolean {
  const length = fields.get('content-length');
  if (length !== undefined) return body.length === Number(length);
  for (let rest = body; fields.get('transfer-encoding') === 'chunked';) {
    const end = rest.indexOf('\r\n');
    const size = end === -1 ? NaN : parseInt(rest.toString('latin1', 0, end), 16);
    const next = end + 2 + size + 2;
    if (!(rest.length >= next)) return false;
    if (size === 0) return rest.length === next;
    rest = rest.subarray(next);
  }
  return false;
}
