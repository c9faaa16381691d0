import { ViaductError, asViaductError } from '../../errors.js';
import { limitHops } from '../../route/hop.js';
import { type RoutedTarget, parseTarget } from '../../route/url.js';
import { type RequestHead, isKeptAlive, listOf, parseRequestHead, valuesOf } from '../../wire/http/head.js';
import { isTunnel } from '../../wire/http/upgrade.js';
import { PARKING_PATH, type ParkingRequest, parkingRequest } from '../../wire/parking.js';
import { newTraceId, traceIdOf } from '../../wire/http/trace-context.js';
import type { AddressClass } from '../access/address.js';
import { claimedClass, hopNumberOf } from './fields.js';

/** A request, parsed once. */
export interface Request {
  /** As far as it can be read. */
  readonly head: RequestHead;
  /** The hops that are left, and the path at the origin. */
  readonly target: RoutedTarget;
  /** The number of the node that got this request: the client is 0, the first node 1. */
  readonly hopNumber: number;
  /** The class that earlier nodes have seen, if there were any. */
  readonly claimedClass: AddressClass | undefined;
  /** Ties it to the requests of the hops before and behind this one. */
  readonly traceId: string;
  /** The client wants to send further requests (RFC 9112 §9.3). */
  readonly keepAlive: boolean;
  /** The client, or a client behind relays, speaks HTTP/1.0, which has no chunks and no interim replies. */
  readonly isOld: boolean;
  /** It asks for a tunnel. */
  readonly isTunnel: boolean;
  /** It asks to park. */
  readonly parking: ParkingRequest | undefined;
  /** The reply has no body. */
  readonly isHead: boolean;
  /** What is wrong with it: its answer. */
  readonly error: ViaductError | undefined;
}

/**
 * Parses the head of a request. Never throws.
 * @param maxHops of a whole route, this node included
 */
export function parseRequest(bytes: Buffer, maxHops: number): Request {
  let head: RequestHead;
  try {
    head = parseRequestHead(bytes);
  } catch (error) {
    return unreadableRequest(bytes, asViaductError(error));
  }
  const hopNumber = hopNumberOf(head);
  const checked = check(head, maxHops, hopNumber);
  const parking = checked instanceof ViaductError ? undefined : parkingOf(head, checked);
  return {
    head,
    target: checked instanceof ViaductError ? NO_TARGET : checked,
    hopNumber,
    claimedClass: claimedClass(head),
    traceId: traceIdOf(head.fields) ?? newTraceId(),
    keepAlive: isKeptAlive(head),
    isOld: isOld(head),
    // RFC 9110 §7.8: HTTP/1.0 has no upgrade.
    isTunnel: head.minor >= 1 && isTunnel(head.fields),
    parking: parking instanceof ViaductError ? undefined : parking,
    isHead: head.method === 'HEAD',
    error: [checked, parking].find((each) => each instanceof ViaductError),
  };
}

const NO_TARGET: RoutedTarget = { route: [], path: '/' };

/** A request whose head cannot be read; but a reply to HEAD has no content, whatever else is wrong (RFC 9110 §9.3.2). */
export function unreadableRequest(bytes: Buffer, error: ViaductError): Request {
  const method = bytes.toString('latin1', 0, 5) === 'HEAD ' ? 'HEAD' : 'GET';
  return {
    head: { method, target: '', minor: 0, fields: [] },
    target: NO_TARGET,
    hopNumber: 1,
    claimedClass: undefined,
    traceId: newTraceId(),
    keepAlive: false,
    isOld: true,
    isTunnel: false,
    parking: undefined,
    isHead: method === 'HEAD',
    error,
  };
}

/** A relay ignores other upgrades than to a tunnel, and so does HTTP/1.0 (RFC 9110 §7.8). */
function parkingOf(
  { method, minor, fields }: RequestHead,
  { route, path }: RoutedTarget,
): ParkingRequest | ViaductError | undefined {
  if (route.length > 0 || path !== PARKING_PATH || method !== 'GET' || minor === 0) return undefined;
  try {
    return parkingRequest(fields);
  } catch (error) {
    return asViaductError(error);
  }
}

/** Checks that hold for every request, relayed or not. */
function check(head: RequestHead, maxHops: number, hopNumber: number): RoutedTarget | ViaductError {
  if (head.method !== 'GET' && head.method !== 'HEAD')
    return new ViaductError('METHOD_NOT_ALLOWED', `${head.method} is not answered, only GET and HEAD`);
  // A service worker would see the requests of the pages of all hops (they share one browser origin).
  if (valuesOf(head.fields, 'service-worker').length > 0)
    return new ViaductError('FORBIDDEN', 'service workers are not served');
  try {
    const target = parseTarget(head.target);
    limitHops(target.route, maxHops, hopNumber);
    return target;
  } catch (error) {
    return asViaductError(error);
  }
}

/** Relays speak 1.1 and record in Via which version the client before them spoke (RFC 9110 §7.6.3). */
function isOld({ minor, fields }: RequestHead): boolean {
  return minor === 0 || listOf(fields, 'via').some((via) => /^(?:HTTP\/)?1\.0 /i.test(via));
}
