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
 * Answers 101 at the end of a tunnel: what comes next is a connection of its own.
 * @throws ViaductError BAD_REQUEST for a tunnel in a tunnel, a malformed hello, or bytes that were not waited with
 */
export async function endTunnel(
  connection: Connection,
  { head, claimedClass }: Request,
  input: HeldInput,
): Promise<TunnelEnd> {
  if (head.method !== 'GET') throw new ViaductError('BAD_REQUEST', 'a tunnel is asked for with GET');
  if (connection.isTunnel) throw new ViaductError('BAD_REQUEST', 'a tunnel ends here already');
  const begin = helloOf(head.fields);
  if (input.stop().length > 0)
    throw new ViaductError('BAD_REQUEST', 'the client sent bytes before the tunnel was built');
  connection.exchange.replyBegun = true;
  await connection.writer.write(
    formatHead('HTTP/1.1 101 Switching Protocols', [...UPGRADE_FIELDS, ['Viaduct', '1']]),
  );
  connection.exchange.completed();
  connection.tunnelEnds(claimedClass);
  return { begin };
}
