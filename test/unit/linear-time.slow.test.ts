import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { digestOf, modifiedOf } from '#src/client/http/file-reply.js';
import { remoteError } from '#src/client/http/remote-error.js';
import { Reply } from '#src/client/http/reply.js';
import { parseHopRule } from '#src/node/access/rules.js';
import { parseRequest } from '#src/node/http/request.js';
import { errorReply } from '#src/node/http/error.js';
import { freshnessOf, headersOf, preconditionsHold, rangeOf } from '#src/node/origin/conditions.js';
import { wantsDigest } from '#src/node/origin/digests.js';
import { parseHostName } from '#src/identity/host-name.js';
import { KnownHosts } from '#src/identity/known-hosts.js';
import { parseParkRules } from '#src/identity/park-rules.js';
import { ParkedList } from '#src/identity/parked-list.js';
import { parseIdentity } from '#src/identity/pem.js';
import { parseInput } from '#src/route/input-file.js';
import { parseLocation } from '#src/route/location.js';
import { nameOfPath, parseTarget, withMissingSlash, withoutPasswords } from '#src/route/url.js';
import { parseParkedName } from '#src/route/parked-name.js';
import { parsePin } from '#src/route/pin.js';
import { parseProxy } from '#src/proxy/config.js';
import { isDirect } from '#src/proxy/no-proxy.js';
import { parseBytes, visible } from '#src/text.js';
import { decodeMessage, scanMessage } from '#src/wire/classic.js';
import { ChunkDecoder } from '#src/wire/http/chunked.js';
import { type Field, parseReplyHead, parseRequestHead, splitHead } from '#src/wire/http/head.js';
import { ListingDecoder } from '#src/wire/http/listing.js';
import { ReplyHeadReader } from '#src/wire/http/reply.js';
import { dialectOf } from '#src/wire/sniff.js';
import { ViaductError } from 'viaduct';

/** Bytes of the longer input; the shorter one has a fourth. Below the limits of a head, a line and a message. */
const LONG = 8000;
const FACTOR = 4;
/** A parser that is linear takes 4 times as long, a quadratic one 16 times. */
const MOST = 9;
/** Each measurement takes at least so much time of the processor, in ms, so that its clock can tell. */
const LEAST_MS = 0.3;
const ROUNDS = 10;

/** What the inputs are made of. */
const PIECES = [
  ...Array.from(' \t,"%@/:;0=*-\\.\'<{[(&?#x\u00e9\r\n'),
  ...'\r\n|%4|%41|/@|/.|/@h:1|, |","|a, |"a",|W/"|;q=0|=:|:a@|\\"| x|x y|..|[::|0-|0-1,|-----BEGIN CERTIFICATE-----|-----BEGIN PRIVATE KEY-----'.split(
    '|',
  ),
];

const stubFile = {
  kind: 'file',
  size: 10_000,
  sparse: false,
  modified: new Date(0),
  version: 'v',
} as unknown as Parameters<typeof rangeOf>[2];
const HOST: Field = ['Host', 'h'];
const requestWith = (...fields: readonly Field[]) => ({
  method: 'GET',
  target: '/',
  minor: 1,
  fields: [HOST, ...fields],
});
const replyHead = (...fields: readonly Field[]) => ({ status: 502, reason: '', minor: 1, fields });
const location = { route: [{ host: 'h', port: 1 }], path: '/' };
const replyWith = (name: string, value: string): Reply => {
  const unread = { stream: {}, hop: location.route[0] } as unknown as ConstructorParameters<typeof Reply>[0];
  return new Reply(unread, replyHead([name, value]), 0, Buffer.alloc(0));
};
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

const parsers: Record<string, (text: string) => unknown> = {
  'the end of a head': (text) => splitHead(latin1(text)),
  'a request head, target': (text) => parseRequestHead(latin1(`GET /${text} HTTP/1.1\r\nHost: h\r\n\r\n`)),
  'a request head, fields': (text) =>
    parseRequestHead(latin1(`GET / HTTP/1.1\r\nHost: h\r\nX: a${text}b\r\n\r\n`)),
  'a request head, names of fields': (text) =>
    parseRequestHead(latin1(`GET / HTTP/1.1\r\nHost: h\r\n${text}: b\r\n\r\n`)),
  'a request': (text) => parseRequest(latin1(`GET /${text} HTTP/1.1\r\nHost: h\r\nVia: ${text}\r\n\r\n`), 16),
  'a reply head': (text) => parseReplyHead(latin1(`HTTP/1.1 200 ${text}\r\nX: a${text}b\r\n\r\n`)),
  'interim replies': (text) => new ReplyHeadReader().read(latin1(`HTTP/1.1 100 \r\n\r\n${text}`)),
  'a target': (text) => parseTarget(`/${text}`),
  'a target with a missing slash': (text) => withMissingSlash(`/${text}`),
  'an absolute target': (text) => parseTarget(`http://${text}`),
  'a name': (text) => nameOfPath(`/${text}`),
  'a location': (text) => parseLocation(text),
  'a text with passwords': (text) => withoutPasswords(text),
  'an input file': (text) => parseInput(text),
  'lines of known_hosts': (text) => new KnownHosts('x', text),
  'a name of known_hosts': (text) => parseHostName(text),
  'lines of parked_nodes': (text) => new ParkedList('x', text),
  'lines of --park-for': (text) => parseParkRules(text, 'x'),
  'a name of a parked node': (text) => parseParkedName(text),
  'a pin': (text) => parsePin(text),
  'the URL of a proxy': (text) => parseProxy(text),
  'a proxy with a login': (text) => parseProxy(`socks5://${text}@p:1`),
  'NO_PROXY, for a name': (text) => isDirect('h1.example', text),
  'NO_PROXY, for an address': (text) => isDirect('::1', text),
  'a key and its certificate': (text) => parseIdentity(text, text, 'x', 'x'),
  'a classic message': (text) => decodeMessage(latin1(text).subarray(0, 4096)),
  'the end of a classic message': (text) => scanMessage(latin1(text)),
  'the dialect': (text) => dialectOf(latin1(text)),
  chunks: (text) => [...new ChunkDecoder().decode(latin1(text))],
  'chunk extensions': (text) => [...new ChunkDecoder().decode(latin1(`1;${text.slice(0, 1000)}\r\n`))],
  trailers: (text) => [...new ChunkDecoder().decode(latin1(`0\r\n${text}`))],
  'the first line of a listing': (text) =>
    new ListingDecoder().push(Buffer.from(`{"path":"${text}","entries":[\n`)),
  'a listing': (text) =>
    new ListingDecoder().push(Buffer.from(`{"path":"/","entries":[\n{"name":"${text}"}\n`)),
  'a date': (text) => modifiedOf(replyWith('Last-Modified', text)),
  Range: (text) => rangeOf(requestWith(), { range: `bytes=${text}` }, stubFile, '"v"'),
  'If-None-Match': (text) => freshnessOf({ 'if-none-match': text }),
  'If-Match': (text) => preconditionsHold({ 'if-match': text }, '"v"', new Date(0)),
  'Want-Repr-Digest': (text) => wantsDigest(requestWith(['Want-Repr-Digest', text])),
  'Repr-Digest': (text) => digestOf(replyWith('Repr-Digest', text)),
  'Proxy-Status': (text) => remoteError(replyHead(['Proxy-Status', text]), Buffer.alloc(0), location),
  'problem details': (text) =>
    remoteError(
      replyHead(['Content-Type', 'application/problem+json']),
      latin1(`{"detail":"${text}"}`),
      location,
    ),
  Accept: (text) =>
    errorReply(new ViaductError('NOT_FOUND', 'x'), {
      head: requestWith(['Accept', text]),
      hopNumber: 1,
      target: location,
    }),
  'all fields of a request': (text) => headersOf(requestWith(['X', text])),
  'a hop rule': (text) => parseHopRule(text),
  'a size': (text) => parseBytes(text),
  'a text to show': (text) => visible(text, Infinity),
};

function timeOf(parse: (text: string) => unknown, text: string, times: number): number {
  const before = process.cpuUsage();
  for (let time = 0; time < times; time += 1) {
    try {
      parse(text);
    } catch (error) {
      if (
        !(error instanceof ViaductError) &&
        !(error instanceof Error && error.name.endsWith('ArgumentError'))
      )
        throw error;
    }
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** How many times as long a parser takes for the longer input. Measured again if it seems too long: others use the machine too. */
function growth(parse: (text: string) => unknown, short: string, long: string): number {
  let times = 1;
  while (timeOf(parse, short, times) < LEAST_MS) times *= 2;
  let least = Infinity;
  for (let round = 0; round < ROUNDS && least > MOST; round += 1)
    least = Math.min(least, timeOf(parse, long, times) / timeOf(parse, short, times));
  return least;
}

describe('the time of a parser grows no faster than its input', () => {
  for (const [what, parse] of Object.entries(parsers)) {
    test(what, () => {
      for (const piece of PIECES) {
        const [short, long] = [LONG / FACTOR, LONG].map((length) => piece.repeat(length / piece.length));
        assert.ok(short !== undefined && long !== undefined);
        const ratio = growth(parse, short, long);
        assert.ok(ratio <= MOST, `${JSON.stringify(piece)}: ${ratio.toFixed(1)} times as long`);
      }
    });
  }

  for (const [what, parse] of Object.entries({
    'fields with names of their own': (count: number) => {
      headersOf(requestWith(...Array.from({ length: count }, (_, index): Field => [index.toString(36), ''])));
    },
    'heads sent ahead': (count: number) => {
      let rest = latin1('GET / HTTP/1.1\r\nHost: h\r\n\r\n'.repeat(count));
      for (let split = splitHead(rest); split !== undefined; split = splitHead(rest)) rest = split.rest;
    },
  })) {
    test(what, () => {
      const ratio = growth((text) => parse(text.length), 'x'.repeat(500), 'x'.repeat(500 * FACTOR));
      assert.ok(ratio <= MOST, `${ratio.toFixed(1)} times as long`);
    });
  }
});
