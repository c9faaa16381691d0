import type { Logger } from 'pino';
import { systemReason } from '../../errors.js';
import type { NodeEvent } from '../../node/events.js';
import { formatHop } from '../../route/hop.js';
import { withoutTokens } from '../../route/share-link.js';
import { visible } from '../../text.js';

/** What the log lines of a request contain besides the event itself. */
interface Facts {
  peer: string;
  clientPin?: string;
  client?: string | undefined;
  /** It has shown one. Its token is in no line. */
  link?: true | undefined;
  role?: 'origin' | 'relay';
  name?: string;
  nextHop?: string;
  address?: string;
}

type RequestEvent = Extract<NodeEvent, { readonly requestId: number }>;

/**
 * Reports the events of a node: on standard output the original's lines, in its words ("thread" is a request), and
 * everything else as log lines.
 */
export function createReporter(log: Logger, print: (line: string) => void): (event: NodeEvent) => void {
  const isDebugging = log.isLevelEnabled('debug');
  const isLogging = log.isLevelEnabled('info');
  /** By request. */
  const known = new Map<number, Facts>();
  /** By connection: pins of clients. */
  const pins = new Map<number, string>();
  const refused = new Refusals();
  const unavailable = new Refusals();
  return (event) => {
    if (event.type === 'refused') {
      const { peer, limit } = event;
      return refused.report((more) =>
        log.warn({ peer, limit, ...more }, 'connection refused: limit reached'),
      );
    }
    if (event.type === 'closed') pins.delete(event.connectionId);
    if (event.type === 'secured' && event.clientPin !== undefined)
      pins.set(event.connectionId, event.clientPin);
    if (!('requestId' in event)) return reportNode(event, log);
    if (event.type === 'request') known.set(event.requestId, { peer: event.peer });
    const clientPin = pins.get(event.connectionId);
    if (clientPin !== undefined) Object.assign(known.get(event.requestId) ?? {}, { clientPin });
    const facts = known.get(event.requestId) ?? { peer: '' };
    if (event.type === 'completed' || event.type === 'failed') known.delete(event.requestId);
    reportRequest(event, facts, { log, print, unavailable, isDebugging, isLogging });
  };
}

/** What is refused for want of room costs its client nothing, so it is logged once a second at most. */
const REFUSALS_MS = 1000;

class Refusals {
  #loggedAt = -Infinity;
  #unlogged = 0;

  /** @param log writes the line, with the number of refusals since the last one that have none */
  report(log: (more: { readonly unlogged?: number }) => void): void {
    const now = performance.now();
    if (now - this.#loggedAt < REFUSALS_MS) {
      this.#unlogged += 1;
      return;
    }
    log(this.#unlogged === 0 ? {} : { unlogged: this.#unlogged });
    this.#loggedAt = now;
    this.#unlogged = 0;
  }
}

/** Events of connections, and of the node itself. */
function reportNode(
  event: Exclude<NodeEvent, RequestEvent | { readonly type: 'refused' }>,
  log: Logger,
): void {
  switch (event.type) {
    case 'accepted':
      return log.debug({ connectionId: event.connectionId, peer: event.peer }, 'accepted');
    case 'secured':
      return log.debug({ connectionId: event.connectionId, clientPin: event.clientPin }, 'TLS established');
    case 'closed': {
      const { connectionId, requests, seconds } = event;
      return log.debug({ connectionId, requests, seconds }, 'closed');
    }
    case 'parked': {
      const { connectionId, name, pin, peer } = event;
      return log.info({ connectionId, name, pin, peer: formatHop(peer) }, 'parked');
    }
    case 'unparked': {
      const { connectionId, name, pin, reason, seconds } = event;
      return log.info({ connectionId, name, pin, reason, seconds }, 'no longer parked');
    }
    case 'authorized': {
      const { keys, error } = event;
      if (error !== undefined) return log.error({ code: error.code }, `no key may read: ${error.message}`);
      return keys > 0
        ? log.info({ keys }, 'authorized keys read')
        : log.warn({ keys }, 'no key may read: none is authorized; run: viaduct authorize PIN');
    }
    case 'share-secret': {
      const { error, isReplaced } = event;
      if (error !== undefined)
        return log.error({ code: error.code }, `no link opens anything: ${error.message}`);
      return log.info({}, isReplaced ? 'all earlier links are revoked' : 'links open files again');
    }
    case 'pump-died':
      return log.error({ cause: visible(event.cause.message) }, 'a splice worker died; its flows were reset');
  }
}

interface Reports {
  readonly log: Logger;
  readonly print: (line: string) => void;
  readonly unavailable: Refusals;
  /* What the log takes: a line that it drops costs a relay as much as a system call. */
  readonly isDebugging: boolean;
  readonly isLogging: boolean;
}

/** @param facts what is known of the request; kept up to date */
function reportRequest(event: RequestEvent, facts: Facts, reports: Reports): void {
  const { log, print, unavailable, isDebugging, isLogging } = reports;
  const { connectionId, requestId, traceId } = event;
  const ids = { connectionId, requestId, traceId };
  switch (event.type) {
    case 'request':
      return print(`creating new thread ${requestId}`);
    case 'stage':
      return log.trace({ ...ids, detail: event.detail && visible(event.detail()) }, event.stage);
    case 'serving':
      Object.assign(facts, {
        role: 'origin',
        name: visible(event.name),
        client: event.client,
        link: event.link,
      });
      print(`Working as a server in thread ${requestId}`);
      return isDebugging ? log.debug({ ...ids, ...facts }, 'serving') : undefined;
    case 'relaying':
      facts.role = 'relay';
      facts.name = visible(event.name);
      facts.nextHop = formatHop(event.nextHop);
      print(`Working as a proxy in thread ${requestId}`);
      return isDebugging ? log.debug({ ...ids, ...facts }, 'relaying') : undefined;
    case 'dialled':
      facts.address = event.address;
      return isDebugging ? log.debug({ ...ids, ...facts, seconds: event.seconds }, 'dialled') : undefined;
    case 'completed':
      print(`file sending in thread ${requestId} completed`);
      if (!(event.isRoutine ? isDebugging : isLogging)) return;
      return log[event.isRoutine ? 'debug' : 'info'](
        { ...ids, ...facts, bytes: event.bytes, seconds: event.seconds },
        'completed',
      );
    case 'failed': {
      const { error, bytes, seconds } = event;
      const message = withoutTokens(error.message);
      print(`file sending in thread ${requestId} failed: ${message}`);
      const { code, hopAddress, hopNumber } = error;
      const cause = error.cause === undefined ? undefined : visible(withoutTokens(systemReason(error.cause)));
      const failure = { code, hopAddress, hopNumber, cause, bytes, seconds };
      const warn = (more: object): void => log.warn({ ...ids, ...facts, ...failure, ...more }, message);
      return code === 'UNAVAILABLE' ? unavailable.report(warn) : warn({});
    }
  }
}
