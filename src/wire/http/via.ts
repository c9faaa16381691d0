import { type Field, listOf } from './head.js';

/*
 * What nodes and clients write into Via (RFC 9110 §7.6.3). Pages of a browser cannot: Via is a forbidden header name (Fetch
 * standard), unlike a field of our own, which a page may add to requests to its own host name.
 */

/** The name of every node; the position distinguishes them. */
const NODE = 'viaduct';

/** The name of our own clients, which is not counted as a node. */
const CLIENT = 'viaduct-client';

/** Via of a request by our own clients. @param hops nodes that a tunnel has passed, which the node at its end is to count */
export function clientVia(hops = 0): Field {
  return ['Via', [CLIENT, ...Array<string>(hops).fill(NODE)].map((name) => `1.1 ${name}`).join(', ')];
}

/** Via of a message that a node passes on. @param minor of the message that it has got */
export function nodeVia(fields: readonly Field[], minor: number): Field {
  return ['Via', [...listOf(fields, 'via'), `1.${minor} ${NODE}`].join(', ')];
}

/** Nodes that a request has passed. */
export function nodesIn(fields: readonly Field[]): number {
  return namesIn(fields).filter((name) => name === NODE).length;
}

/** Whether a node or a client of ours has sent it, so that it is not as a page of a browser has made it. */
export function hasOurVia(fields: readonly Field[]): boolean {
  return namesIn(fields).some((name) => name === NODE || name === CLIENT);
}

/** Whether a client of ours has sent it. */
export function hasClientVia(fields: readonly Field[]): boolean {
  return namesIn(fields).includes(CLIENT);
}

function namesIn(fields: readonly Field[]): (string | undefined)[] {
  return listOf(fields, 'via').map((via) => /^\S+ (\S+)$/.exec(via)?.[1]);
}
