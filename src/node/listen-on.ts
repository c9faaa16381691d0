import { BACKLOG } from '../defaults.js';
import type { ByteStream } from '../tcp/byte-stream.js';
import { type Listener, listen } from '../tcp/listen.js';
import type { NodeOptions } from './options.js';

/** Prepares a connection that was made elsewhere, as the listener does its own; false if it cannot be used. */
export function canSend(stream: ByteStream, { congestion }: NodeOptions): boolean {
  try {
    stream.prepareToSend(congestion);
    return true;
  } catch {
    return false; // It was possible at the start.
  }
}

/** @returns undefined for a node that does not listen */
export async function listenOn({
  host,
  port,
  backlog = BACKLOG,
  congestion,
}: NodeOptions): Promise<Listener | undefined> {
  if (port !== undefined) return listen({ host, port, backlog, congestion });
  // What it sends later is refused now, if it has to be.
  if (congestion !== undefined)
    (await listen({ host: '127.0.0.1', port: 0, backlog, congestion })).server.close();
  return undefined;
}
