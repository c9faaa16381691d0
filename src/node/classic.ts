import { limitHops } from '../route/hop.js';
import { decodeMessage, encodeMessage } from '../wire/classic.js';
import { holdInput } from './client-input.js';
import type { Connection } from './connection.js';
import { sendFileBytes } from './origin/file-sender.js';
import { relay } from './relay.js';

/** Answers a classic message as origin or relay, up to and including FIN. Whatever fails ends in a reset. */
export async function serveClassic(
  connection: Connection,
  { message, rest }: { readonly message: Buffer; readonly rest: Buffer },
): Promise<void> {
  const { node, exchange, stream } = connection;
  const { name, route } = decodeMessage(message);
  limitHops(route, node.maxHops, 1); // This node is one hop itself.
  connection.requestReceived = true;
  // What the client sends after its request is dropped.
  const input = holdInput(stream, rest, 0);
  const [nextHop, ...left] = route;
  if (nextHop === undefined) {
    await serveFile(connection, name);
    input.stop();
  } else {
    exchange.relaying(name, nextHop);
    await relay(connection, { input, nextHop, head: encodeMessage({ name, route: left }) });
  }
  exchange.completed();
}

async function serveFile({ node, exchange, writer }: Connection, name: string): Promise<void> {
  exchange.serving(name);
  const { handle, size } = await node.root.openFile(name);
  exchange.replyBegun = true;
  exchange.countBytes(() => writer.sent);
  try {
    await sendFileBytes(handle, 0, size, writer);
  } finally {
    await handle.close();
  }
  await writer.finish();
}
