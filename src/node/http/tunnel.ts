import { ViaductError } from '../../errors.js';
import { formatHead } from '../../wire/http/head.js';
import { UPGRADE_FIELDS, helloOf } from '../../wire/http/upgrade.js';
import type { HeldInput } from '../client-input.js';
import type { Connection } from '../connection.js';
import type { Request } from './request.js';

/** The end of a tunnel: the connection begins anew. */
export interface TunnelEnd {
  /** Its first bytes, which came with the request. */
  readonly begin: Buffer;
}

/**
 * Checks that a client waits for its tunnel, before anything else about the request is judged.
 * @throws ViaductError BAD_REQUEST for bytes behind the request
 */
export function refuseEarly({ isTunnel }: Request, { hasMore }: HeldInput): void {
  if (isTunnel && hasMore) throw refuse(EARLY);
}

/** Also if they come later. */
const EARLY = 'the client sent bytes before the tunnel was built';

/**
 * Checks what every node refuses, relay or not, before it dials anything. A tunnel ends where it ends: one request of a
 * client makes one connection per hop, and no bytes of a tunnel become a request that a relay passes on.
 * @throws ViaductError BAD_REQUEST for hops or a tunnel in a tunnel, another method than GET, or a malformed hello
 */
export function checkTunnel({ isTunnel }: Connection, request: Request): void {
  if (isTunnel && request.target.route.length > 0) throw refuse('hops inside a tunnel are not relayed');
  if (!request.isTunnel) return;
  if (isTunnel) throw refuse('a tunnel ends here already');
  if (request.head.method !== 'GET') throw refuse('a tunnel is asked for with GET');
  helloOf(request.head.fields);
}

/**
 * Answers 101 at the end of a tunnel: what comes next is a connection of its own.
 * @param request passed {@link checkTunnel}
 * @throws ViaductError BAD_REQUEST for bytes that were not waited with
 */
export async function endTunnel(
  connection: Connection,
  { head, claimedClass }: Request,
  input: HeldInput,
): Promise<TunnelEnd> {
  const begin = helloOf(head.fields);
  if (input.stop().length > 0) throw refuse(EARLY);
  connection.exchange.replyBegun = true;
  await connection.writer.write(
    formatHead('HTTP/1.1 101 Switching Protocols', [...UPGRADE_FIELDS, ['Viaduct', '1']]),
  );
  connection.exchange.completed();
  connection.tunnelEnds(claimedClass);
  return { begin };
}

function refuse(why: string): ViaductError {
  return new ViaductError('BAD_REQUEST', why);
}
