import { type Field, type RequestHead, listOf, valuesOf } from '../../wire/http/head.js';
import { traceparent } from '../../wire/http/trace-context.js';
import { UPGRADE_FIELDS } from '../../wire/http/upgrade.js';
import { nodeVia, nodesIn } from '../../wire/http/via.js';
import { type Hop, formatHop } from '../../route/hop.js';
import { type AddressClass, CLASSES } from '../access/address.js';

/* What a request carries from node to node, and what is removed on the way. */

/** Carries the outermost class of the clients so far. Only ever moves outward, so a lie gains nothing. */
const CLASS_FIELD = 'Viaduct-Client';

/** Fields that concern one connection only (RFC 9110 §7.6.1), and secrets that are not for relays. */
const NOT_FORWARDED = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'te',
  'trailer',
  'upgrade',
  'host',
  'content-length',
  'expect',
  'cookie',
  'authorization',
  'traceparent',
  'via',
  CLASS_FIELD.toLowerCase(),
]);

/**
 * Fields of a reply that are passed on: what describes its content, its caching and its error. All others are dropped,
 * since all hops share one browser origin, in which a hop must not ask for passwords, set cookies, fetch from elsewhere
 * (`Link`) or set rules for the other hops.
 */
const PASSED = new Set([
  'accept-ranges',
  'age',
  'allow',
  'cache-control',
  'content-digest',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-length',
  'content-range',
  'content-type',
  'date',
  'etag',
  'expires',
  'last-modified',
  'location',
  'pragma',
  'proxy-status',
  'repr-digest',
  'retry-after',
  'server',
  'transfer-encoding',
  'vary',
  'viaduct-error',
  'viaduct-grown',
  'viaduct-left-out',
]);

/** The number of the node that got this request: the client is 0, the first node 1. */
export function hopNumberOf(request: RequestHead): number {
  return 1 + nodesIn(request.fields);
}

/** The class that nodes before this one have seen. */
export function claimedClass(request: RequestHead): AddressClass | undefined {
  const claims = valuesOf(request.fields, CLASS_FIELD.toLowerCase());
  // A claim that is not one is taken for the outermost.
  return claims.length === 0
    ? undefined
    : (CLASSES.find((known) => claims.length === 1 && known === claims[0]) ?? 'public');
}

export const CLOSE: Field = ['Connection', 'close'];

/** The connection is kept for another request, for so long. */
export function keepAliveField(ms: number): Field {
  return ['Keep-Alive', `timeout=${Math.floor(ms / 1000)}`];
}

/**
 * The fields of a request for the next hop.
 * @param end what is to become of the connection after it
 */
export function forwardedFields(
  request: RequestHead,
  nextHop: Hop,
  client: AddressClass,
  traceId: string,
  end: readonly Field[],
): Field[] {
  return [
    ['Host', formatHop(nextHop)],
    ...kept(request.fields, NOT_FORWARDED, false),
    nodeVia(request.fields, request.minor),
    [CLASS_FIELD, client],
    traceparent(traceId),
    ...end,
  ];
}

/**
 * The fields of a reply for the client, without those that every reply of a node has.
 * @param end what is to become of the connection after it
 */
export function passedFields(fields: readonly Field[], minor: number, end: Field): Field[] {
  const passed = kept(fields, PASSED, true);
  // RFC 9110 §6.6.1: a recipient that forwards a reply without Date adds it.
  if (valuesOf(passed, 'date').length === 0) passed.push(dateField());
  passed.push(nodeVia(fields, minor), end);
  return passed;
}

let lastSecond = 0;
let lastDate: Field = ['Date', ''];

function dateField(): Field {
  const second = Math.floor(Date.now() / 1000);
  if (second !== lastSecond) {
    lastSecond = second;
    lastDate = ['Date', new Date(second * 1000).toUTCString()];
  }
  return lastDate;
}

/** The fields of the 101 for the client. */
export function switchingFields(fields: readonly Field[], minor: number): Field[] {
  return [nodeVia(fields, minor), ...UPGRADE_FIELDS, ['Viaduct', '1']];
}

/** The fields of an interim reply for the client: none of the next hop's, for none is needed and `Link` fetches. */
export function interimFields(fields: readonly Field[], minor: number): Field[] {
  return [nodeVia(fields, minor), ['Viaduct', '1']];
}

/** Those that a set has, or has not, and that the `Connection` field does not name. */
function kept(fields: readonly Field[], set: ReadonlySet<string>, has: boolean): Field[] {
  const options = listOf(fields, 'connection');
  const passed = fields.filter(([name]) => set.has(name.toLowerCase()) === has);
  if (options.length === 0 || passed.length === 0) return passed;
  const named = new Set(options.map((name) => name.toLowerCase()));
  // Framing is not to be talked away by a Connection field that names it.
  for (const name of ['transfer-encoding', 'content-length']) named.delete(name);
  return passed.filter(([name]) => !named.has(name.toLowerCase()));
}
