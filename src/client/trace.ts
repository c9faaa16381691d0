import { type ErrorCode, ViaductError, asViaductError } from '../errors.js';
import { HTTP_HEAD_PER_HOP_MS, MAX_HOPS, PROBES, SILENCE_MS } from '../defaults.js';
import { type Hop, type Route, hopError, isParked, limitHops } from '../route/hop.js';
import { STATUS_NAME } from '../route/url.js';
import { parseJsonObject } from '../json.js';
import { type Scheme, prefixesOf } from '../route/location.js';
import { type Encryption, knownHostsOnly, withSessions } from './http/encryption.js';
import type { Reply } from './http/reply.js';
import { type RequestOptions, request } from './http/request.js';

/** A node's status, as a trace reads it: half a KiB. */
export const STATUS_BYTES = 16 * 1024;

export interface TraceOptions extends Pick<
  RequestOptions,
  'timeoutMs' | 'connectTimeoutMs' | 'maxHops' | 'proxy' | 'signal' | 'plain' | 'encryption'
> {
  /** Of the first link. @default 'http' */
  readonly scheme?: Scheme | undefined;
  /** Times that each hop is asked, one after the other; one is enough to learn which is down. @default 3 */
  readonly probes?: number | undefined;
  /** Told of each hop, in the order of the route, once it and those before it have answered or failed. */
  readonly onHop?: ((hop: TracedHop) => void) | undefined;
}

/** What came of asking one hop of a route. */
export type TracedHop = AnsweringHop | SilentHop;

interface Place {
  /** 1 for the first hop. */
  readonly number: number;
  readonly hop: Hop;
}

export interface AnsweringHop extends Place {
  readonly state: 'up';
  /** Version of viaduct there; undefined for a server that is no node, which a relay has allowed by name. */
  readonly version: string | undefined;
  /** Whether its key is trusted, so that no other hop can have answered for it; undefined with `plain`. */
  readonly key: 'known' | 'unknown' | undefined;
  /** From here to the hop and back, in ms. */
  readonly roundTripMs: number;
  /** The part of it that the link from the hop before adds, in ms. */
  readonly linkMs: number;
}

export interface SilentHop extends Place {
  /** `down`: it is the hop that failed; `unreached`: one before it did. */
  readonly state: 'down' | 'unreached';
  /** Of the first hop that does not answer. */
  readonly error: ViaductError | undefined;
}

/**
 * Asks every hop of a route for its status, each through those before it, and all at once. Each answers in TLS, unless
 * `plain`; a key that is not known is no failure. Resolves with all hops, in order, whether they answer or not; the first
 * that does not has the error.
 *
 * @throws ViaductError TOO_MANY_HOPS before anything is dialled; READ_FAILED, WRITE_FAILED or BUSY of a local file, such
 *   as known_hosts; the signal's reason
 */
export async function traceRoute(route: Route, options: TraceOptions = {}): Promise<readonly TracedHop[]> {
  limitHops(route, options.maxHops ?? MAX_HOPS);
  const questions = prefixesOf(route).map((prefix) => ({ prefix, given: new AbortController() }));
  const findings = questions.map(async ({ prefix, given }, index) => {
    const { encryption = knownHostsOnly() } = options;
    const isLast = prefix.length === route.length;
    // Authorities and who asks are for the last hop; others mostly have a certificate of their own making.
    const ofRelay: Encryption = { ...encryption, authorities: undefined, identity: undefined };
    const signals = options.signal === undefined ? [given.signal] : [given.signal, options.signal];
    const finding = await askHop(prefix, {
      ...options,
      encryption: isLast ? encryption : ofRelay,
      signal: AbortSignal.any(signals),
    });
    // Whatever is behind it cannot answer; each relay before it would wait for its own time, longer and longer.
    if (finding.state === 'down') for (const later of questions.slice(index + 1)) later.given.abort();
    return finding;
  });
  // Only the first that fails is thrown.
  for (const finding of findings) finding.catch(() => {});
  const hops: TracedHop[] = [];
  const timesOf = roundTrips(options.plain === true);
  let isBroken = false;
  try {
    for (const finding of findings) {
      const found = await finding;
      options.signal?.throwIfAborted();
      const hop: TracedHop = found.state === 'up' ? timesOf(found) : isBroken ? unreached(found) : found;
      isBroken ||= hop.state !== 'up';
      hops.push(hop);
      options.onHop?.(hop);
    }
  } finally {
    for (const { given } of questions) given.abort();
  }
  return hops;
}

/** What is wrong with a route: the error of its first hop that does not answer; undefined if all do. */
export function failureIn(hops: readonly TracedHop[]): ViaductError | undefined {
  const broken = hops.find((hop) => hop.state !== 'up');
  return broken?.error;
}

/** A hop that answers, and the time from the request to the answer. */
type Answer = Omit<AnsweringHop, 'roundTripMs' | 'linkMs'> & { readonly answerMs: number };

/**
 * Round trips from the times of answers, hop by hop. In a tunnel an answer takes one of the whole way. Without, it takes one round
 * trip of the first link, which was connected before, and two of every further one, for the connection and for the request,
 * but one of the link to a parked node, which has connected: the answer of a hop is later by so many round trips of the link
 * than that of the hop before.
 */
function roundTrips(isPlain: boolean): (answer: Answer) => AnsweringHop {
  let before = { answerMs: 0, roundTripMs: 0 };
  return ({ answerMs, ...hop }) => {
    const connects = isPlain && hop.number > 1 && !isParked(hop.hop);
    const roundTripMs = before.roundTripMs + (answerMs - before.answerMs) / (connects ? 2 : 1);
    // Where a link takes no time, chance may make the answer of the hop behind it the earlier one.
    const linkMs = Math.max(0, roundTripMs - before.roundTripMs);
    before = { answerMs, roundTripMs };
    return { ...hop, roundTripMs, linkMs };
  };
}

/** A hop behind the first broken one, whatever became of asking it. */
function unreached({ number, hop }: SilentHop): SilentHop {
  return { number, hop, state: 'unreached', error: undefined };
}

interface Question extends TraceOptions {
  readonly signal: AbortSignal;
}

/** Failures of this machine, such as of known_hosts: no state of a hop. */
const LOCAL: ReadonlySet<ErrorCode> = new Set(['READ_FAILED', 'WRITE_FAILED', 'BUSY']);

/** Asks the last hop of a route, again and again; the first failure ends it. */
function askHop(route: Route, options: Question): Promise<Answer | SilentHop> {
  return withSessions(options, (shared) => askAll(route, shared));
}

async function askAll(route: Route, options: Question): Promise<Answer | SilentHop> {
  const place = { number: route.length, hop: lastOf(route) };
  const times: number[] = [];
  const { plain = false, encryption = knownHostsOnly() } = options;
  let key: AnsweringHop['key'];
  const checkKey = async (checked: Route, pin: string): Promise<void> => {
    key = await standingOf(() => encryption.checkKey(checked, pin));
  };
  const { checkLink = encryption.checkKey } = encryption;
  const lenient: Question = plain
    ? options
    : { ...options, encryption: { ...encryption, checkKey, checkLink } };
  let version: string | undefined;
  try {
    for (let probe = 0; probe < (options.probes ?? PROBES); probe += 1) {
      const answer = await askOnce(route, lenient);
      times.push(answer.ms);
      version = answer.version;
    }
    return { ...place, state: 'up', version, key, answerMs: median(times) };
  } catch (error) {
    if (options.signal.aborted) return { ...place, state: 'unreached', error: undefined };
    const known = asViaductError(error);
    if (LOCAL.has(known.code)) throw known;
    return { ...place, ...failureOf(known, route, options) };
  }
}

/** @throws what `check` throws, unless it is that the key is unknown */
async function standingOf(check: () => Promise<void>): Promise<'known' | 'unknown'> {
  try {
    await check();
    return 'known';
  } catch (error) {
    if (asViaductError(error).code === 'UNKNOWN_HOST_KEY') return 'unknown';
    throw error;
  }
}

async function askOnce(
  route: Route,
  options: Question,
): Promise<{ ms: number; version: string | undefined }> {
  let sentAt = performance.now();
  const sinceSent = (): number => performance.now() - sentAt;
  let reply: Reply;
  try {
    reply = await request(
      { route, path: `/${STATUS_NAME}`, scheme: options.scheme },
      {
        ...options,
        fields: [['Accept', 'application/json']],
        onSend: () => (sentAt = performance.now()),
      },
    );
  } catch (error) {
    // Whatever a node cannot do it tells with the number of a hop; this is a web server's "not found".
    const { code, hopAddress, hopNumber } = asViaductError(error);
    if (code === 'HTTP_ERROR' && hopAddress === undefined && hopNumber === undefined)
      return { ms: sinceSent(), version: undefined };
    throw error;
  }
  const ms = sinceSent();
  if (reply.length === undefined || reply.length > STATUS_BYTES) {
    reply.close(); // Not the status of a node.
    return { ms, version: undefined };
  }
  const status = await reply.bytes(STATUS_BYTES, options.timeoutMs ?? SILENCE_MS);
  const { version } = parseJsonObject(status.toString()) ?? {};
  return { ms, version: typeof version === 'string' ? version : undefined };
}

/** Whether a failure is that of the hop that was asked, the last of the route, or of one before it. */
function failureOf(error: ViaductError, route: Route, { timeoutMs = SILENCE_MS }: Question) {
  const [number, hop] = [route.length, lastOf(route)];
  const { hopNumber = number } = error;
  if (hopNumber === number) return { state: 'down', error } as const;
  // A failure of the first hop may come from any hop behind it, and no relay has reported which. The routes that end
  // earlier show it: if they work, the failed hop is the one that this route adds.
  const seconds = (number * HTTP_HEAD_PER_HOP_MS + timeoutMs) / 1000;
  const words: Partial<Record<ErrorCode, string>> = {
    TIMEOUT: `sent no reply within ${seconds} s`,
    CUT_SHORT: 'broke the connection before its reply was whole',
  };
  const what = hopNumber === 1 ? words[error.code] : undefined;
  if (what === undefined) return { state: 'unreached', error } as const;
  return { state: 'down', error: hopError(error.code, number, hop, what, error) } as const;
}

function lastOf(route: Route): Hop {
  const last = route.at(-1);
  if (last === undefined) throw new ViaductError('BAD_ROUTE', 'the route has no hop');
  return last;
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = 0, high = 0] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (low + high) / 2;
}
