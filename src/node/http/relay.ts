import { type ErrorCode, ViaductError, withContext } from '../../errors.js';
import { type Hop, formatHop, hopLabel, isParked } from '../../route/hop.js';
import { formatTarget, nameOfPath } from '../../route/url.js';
import type { Answer } from '../../tcp/first-answer.js';
import { earlyEnd } from '../../tcp/early-reset.js';
import { type Verdict, readUntil } from '../../tcp/read-until.js';
import { HEAD_BYTES, type ReplyHead, formatHead, isKeptAlive, valuesOf } from '../../wire/http/head.js';
import { type FinalReply, ReplyHeadReader, framingOf } from '../../wire/http/reply.js';
import { ChunkDecoder } from '../../wire/http/chunked.js';
import { UPGRADE_FIELDS, isTunnel } from '../../wire/http/upgrade.js';
import type { FindEnd } from '../../pump/pump.js';
import { type HeldInput, INPUT_AHEAD_BYTES } from '../client-input.js';
import type { Connection } from '../connection.js';
import { relay } from '../relay.js';
import type { OpenedReply } from '../reply-flow.js';
import {
  CLOSE,
  forwardedFields,
  interimFields,
  keepAliveField,
  passedFields,
  switchingFields,
} from './fields.js';
import { nodeFields } from './node-fields.js';
import type { Request } from './request.js';

/** Dialling a hop over HTTP: short, so that a timeout further down does not hide the hop that failed. */
export const HTTP_CONNECT_MS = 5000;

/** Where a reply comes from, and for whom it is. */
interface Upstream {
  /** The next hop in error messages. */
  readonly label: string;
  readonly nextHop: Hop;
  /** Hops after the next one: each may take its time to dial. */
  readonly hopsLeft: number;
  readonly request: Request;
  /** The client wants to keep its connection. */
  readonly keep: boolean;
}

/**
 * Relays a request to the first hop of its route.
 * @returns what the client has sent, if its connection is kept for another request
 * @throws as {@link relay}; HEAD_TOO_LARGE if the head leaves no room for what a relay adds
 */
export function relayRequest(
  connection: Connection,
  request: Request,
  input: HeldInput,
): Promise<Buffer | undefined> {
  const { node, exchange } = connection;
  const { head, target, hopNumber } = request;
  const [nextHop, ...left] = target.route;
  if (nextHop === undefined) throw new Error('a relay has a next hop');
  const label = hopLabel(hopNumber + 1, nextHop);
  const client = connection.clientClass(request.claimedClass);
  const name = nameFor(target.path);
  exchange.relaying(name, nextHop);
  const keep = request.keepAlive && !request.isOld && !request.isTunnel && !node.stopping();
  const end = request.isTunnel ? UPGRADE_FIELDS : keep ? [] : [CLOSE];
  const first = `${head.method} ${formatTarget({ route: left, path: target.path })} HTTP/1.1`;
  const forwarded = formatHead(first, forwardedFields(head, nextHop, client, request.traceId, end));
  // The next hop would refuse it too, but could not know which hop it is.
  if (forwarded.length > HEAD_BYTES)
    throw new ViaductError('HEAD_TOO_LARGE', 'the head leaves no room for Via');
  return relay(connection, {
    input,
    nextHop,
    hopsLeft: left.length,
    isListing: !request.isHead && !request.isTunnel && (name === '' || name.endsWith('/')),
    head: forwarded,
    mayReuse: keep,
    label,
    client,
    connectMs: Math.min(node.connectMs, node.times.httpConnectMs),
    openReply: {
      limitMs: (left.length + 1) * node.times.headPerHopMs + node.silenceMs,
      open: (answer) =>
        openReply(connection, answer, { label, nextHop, hopsLeft: left.length, request, keep }),
    },
  });
}

/** The name for the log; what a path means is for the origin to decide. */
function nameFor(path: string): string {
  try {
    return nameOfPath(path);
  } catch {
    return path;
  }
}

/**
 * Reads the head of a next hop's reply and returns it in the form for the client, with the part of the body that came
 * with it. Interim replies are passed on.
 * @throws ViaductError TIMEOUT, CUT_SHORT, BAD_REPLY or NOT_A_NODE
 */
async function openReply(
  connection: Connection,
  { stream, begin, leftMs }: Answer,
  upstream: Upstream,
): Promise<OpenedReply> {
  const { node, exchange, signal } = connection;
  const { request, hopsLeft } = upstream;
  let passed: Promise<void> | undefined;
  const heads = new ReplyHeadReader((interim) => {
    if (request.head.minor === 0 || !isPassed(connection, interim, upstream)) return;
    const fields = interimFields(interim.fields, interim.minor);
    const head = formatHead(`HTTP/1.1 ${interim.status} ${interim.reason}`, fields);
    const { writer } = connection;
    passed = passed === undefined ? writer.write(head) : passed.then(() => writer.write(head));
    passed.catch(() => {}); // Awaited below.
  }, request.isTunnel);
  const limitMs = (hopsLeft + 1) * node.times.headPerHopMs + node.silenceMs;
  const { head, rest } = await readUntil<FinalReply>(stream, {
    begin,
    scan: (bytes): Verdict<FinalReply> => {
      try {
        const reply = heads.read(bytes);
        return reply === undefined ? {} : { value: reply };
      } catch (error) {
        throw withContext(error, (what) => `${upstream.label} ${what}`, hopOf(upstream));
      }
    },
    timeoutMs: leftMs,
    signal,
    late: () => failed('TIMEOUT', `sent no reply within ${limitMs / 1000} s`, upstream),
    gone: () => failed('CUT_SHORT', earlyEnd('before it replied', stream.error), upstream, stream.error),
  });
  if (passed !== undefined) await passed;
  exchange.stage('first-byte', () => `${head.status} ${head.reason}`);
  requireNode(connection, head, upstream);
  if (request.isTunnel && head.status < 400) return openTunnel(head, rest, upstream);
  // RFC 9112 §6.1: never chunks for HTTP/1.0. A node knows by Via; others may not.
  if (request.head.minor === 0 && valuesOf(head.fields, 'transfer-encoding').length > 0)
    throw failed('BAD_REPLY', 'sent chunks, which an HTTP/1.0 client cannot read', upstream);
  const framing = framingOf(head, request.isHead);
  const keeps = upstream.keep && framing !== 'end';
  const first = `HTTP/1.1 ${head.status} ${head.reason}`;
  const end = keeps ? keepAliveField(node.times.keepAliveMs) : CLOSE;
  const passedOn = passedFields(head.fields, head.minor, end);
  const bytes = formatHead(first, [...passedOn, ...nodeFields(head.status, passedOn, request.target.path)]);
  const opened = { bytes: Buffer.concat([bytes, rest]) };
  if (!keeps) return { ...opened, length: typeof framing === 'number' ? bytes.length + framing : undefined };
  return {
    ...opened,
    ...(typeof framing === 'number'
      ? { length: bytes.length + framing }
      : chunkedEnd(bytes.length, rest, upstream)),
    keeps: { upstream: isKeptAlive(head), inputBytes: INPUT_AHEAD_BYTES },
  };
}

/** The length, if the reply has ended already; else what finds its end. @throws ViaductError BAD_REPLY */
function chunkedEnd(
  headBytes: number,
  rest: Buffer,
  upstream: Upstream,
): Pick<OpenedReply, 'length' | 'findEnd'> {
  const decoder = new ChunkDecoder();
  const findEnd: FindEnd = (bytes) => {
    for (const content of decoder.decode(bytes)) void content;
    return decoder.done ? bytes.length - decoder.excess : undefined;
  };
  try {
    const ended = findEnd(rest);
    return ended === undefined ? { findEnd } : { length: headBytes + ended };
  } catch (error) {
    throw withContext(error, (what) => `${upstream.label} ${what}`, hopOf(upstream));
  }
}

/** @throws ViaductError BAD_REPLY; NOT_A_NODE also for a host that the operator has named: a tunnel would carry any bytes to it */
function openTunnel(head: ReplyHead, rest: Buffer, upstream: Upstream): OpenedReply {
  if (!isNode(head))
    throw failed('NOT_A_NODE', 'is not a node, so that no tunnel can end or pass there', upstream);
  if (head.status !== 101 || !isTunnel(head.fields))
    throw failed('BAD_REPLY', `answered ${head.status} and builds no tunnel: an older version?`, upstream);
  const bytes = formatHead('HTTP/1.1 101 Switching Protocols', switchingFields(head.fields, head.minor));
  return { bytes: Buffer.concat([bytes, rest]), isTunnel: true };
}

/** A forgotten node is no open web proxy: only nodes are relayed, and hosts that the operator has named. */
function requireNode(connection: Connection, head: ReplyHead, upstream: Upstream): void {
  if (isPassed(connection, head, upstream)) return;
  // A rule is about hosts, and a parked hop is a node.
  const how = isParked(upstream.nextHop)
    ? ''
    : `; --allow-hop ${formatHop(upstream.nextHop)} would relay it all the same`;
  throw failed('NOT_A_NODE', `is not a node${how}`, upstream);
}

function isPassed({ node }: Connection, head: ReplyHead, { nextHop }: Upstream): boolean {
  return isNode(head) || (!isParked(nextHop) && node.policy.isNamed(nextHop));
}

function isNode({ fields }: ReplyHead): boolean {
  return valuesOf(fields, 'viaduct').length > 0;
}

function failed(code: ErrorCode, what: string, upstream: Upstream, cause?: unknown): ViaductError {
  return new ViaductError(code, `${upstream.label} ${what}`, { ...hopOf(upstream), cause });
}

function hopOf({ nextHop }: Upstream): { readonly hopAddress: string } {
  return { hopAddress: formatHop(nextHop) };
}
