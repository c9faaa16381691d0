import type { TestContext } from 'node:test';
import type { ErrorCode, ParkedHop, Route } from 'viaduct';
import { openControl } from '#src/client/parking/control.js';
import type { ByteStream } from '#src/tcp/byte-stream.js';
import type { BrokenHop } from './broken-hops.js';
import { IDENTITY, PIN, trusting } from './identity.js';
import type { TestNode } from './nodes.js';
import { parkedNode } from './parking.js';

/** A way for a parked hop to fail before it replies. */
export interface ParkedFault extends Pick<BrokenHop, 'what' | 'status' | 'code' | 'type' | 'reason'> {
  /** A hop that is parked at this relay and fails so. @param route to the relay, unless it is the first hop */
  readonly at: (t: TestContext, relay: TestNode, name: string, route?: Route) => Promise<ParkedHop>;
  /** On the classic wire the bytes are the file. */
  readonly isFileOnClassic?: true;
}

/** A parked node that does this with each request. */
export const parkedServing =
  (serve: (stream: ByteStream) => void): ParkedFault['at'] =>
  async (t, { hop }, name, route = [hop]) => {
    const parked = await parkedNode(t, route, {
      name,
      serve: (stream) => {
        t.after(() => stream.reset());
        serve(stream);
      },
    });
    return parked.hop;
  };

const answering = (answer: string): ParkedFault['at'] =>
  parkedServing((stream) => {
    stream.write(Buffer.from(answer));
    stream.finish();
  });

/** Parks, and opens none of the connections that the relay wants. */
const parkedMute: ParkedFault['at'] = async (t, { hop }, name, route = [hop]) => {
  const control = await openControl(route, { encryption: trusting(PIN), identity: () => IDENTITY, name });
  t.after(() => control.stream.reset());
  return { parked: name };
};

interface Fails {
  readonly status: number;
  readonly code: ErrorCode;
  readonly type: string;
}

const notParked: Fails = { status: 503, code: 'NOT_PARKED', type: 'destination_unavailable' };
const cutShort: Fails = { status: 502, code: 'CUT_SHORT', type: 'connection_terminated' };
const badReply: Fails = { status: 502, code: 'BAD_REPLY', type: 'http_protocol_error' };

/** With a connection limit of 1 s at the relay. */
export const PARKED_FAULTS: readonly ParkedFault[] = [
  {
    what: 'is not parked',
    at: async (_t, _relay, name) => ({ parked: name }),
    ...notParked,
    reason: /^is not parked here$/,
  },
  {
    what: 'was parked, and its process is gone',
    at: async (t, relay, name, route = [relay.hop]) => {
      const node = await parkedNode(t, route, { name });
      const parked = relay.events.length;
      await node.leave();
      const isGone = (): boolean =>
        relay.events.slice(parked).some((event) => event.type === 'unparked' && event.name === name);
      while (!isGone()) await new Promise(setImmediate);
      return node.hop;
    },
    ...notParked,
    reason: /^is not parked here$/,
  },
  {
    what: 'opens no connections',
    at: parkedMute,
    status: 504,
    code: 'CONNECT_TIMEOUT',
    type: 'connection_timeout',
    reason: /^does not answer: it opened no connection within 1 s$/,
  },
  {
    what: 'resets each connection before its reply',
    at: parkedServing((stream) => stream.reset()),
    ...cutShort,
    reason: /^(closed the connection before it replied$|reset the connection before it replied)/,
  },
  {
    what: 'closes each connection before its reply',
    at: parkedServing((stream) => stream.finish()),
    ...cutShort,
    reason: /^closed the connection before it replied$/,
    isFileOnClassic: true,
  },
  {
    what: 'closes in the head of its reply',
    at: answering('HTTP/1.1 200 OK\r\nViaduct: 1\r\nContent-Le'),
    ...cutShort,
    reason: /^closed the connection before it replied$/,
    isFileOnClassic: true,
  },
  {
    what: 'is a web server that is no node',
    at: answering('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'),
    status: 502,
    code: 'NOT_A_NODE',
    type: 'http_request_denied',
    reason: /^is not a node$/,
    isFileOnClassic: true,
  },
  {
    what: 'does not speak HTTP',
    at: answering('SSH-2.0-OpenSSH_9.2\r\n'),
    status: 502,
    code: 'NOT_A_NODE',
    type: 'http_request_denied',
    reason: /^is not a node: it does not speak HTTP$/,
    isFileOnClassic: true,
  },
  {
    what: 'sends a reply with two lengths',
    at: answering('HTTP/1.1 200 OK\r\nViaduct: 1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy'),
    ...badReply,
    reason: /^sent a malformed reply: content-length occurs twice$/i,
    isFileOnClassic: true,
  },
  {
    what: 'sends a reply head without end',
    at: answering(`HTTP/1.1 200 OK\r\nViaduct: 1\r\n${'X: y\r\n'.repeat(5000)}`),
    ...badReply,
    reason: /^sent too large a reply head$/,
    isFileOnClassic: true,
  },
];
