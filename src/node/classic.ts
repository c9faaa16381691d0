import { limitHops } from '../route/hop.js';
import { decodeMessage, encodeMessage } from '../wire/classic.js';
import type { Connection } from './connection.js';
import { sendFileBytes } from './origin/file-sender.js';
import { relay } from './relay.js';

/** Answers a classic message as origin or relay, up to and including FIN. Whatever fails ends in a reset. */
export async function serveClassic(
  connection: Connection,
  { message, rest }: { readonly message: Buffer; readonly rest: Buffer },
): Promise<void> {
  const { node, transfer, channel } = connection;
  const { name, route } = decodeMessage(message);
  limitHops(route, node.maxHops - 1); // This node is one hop itself.
  connection.transferring = true;
  // What the client sends after its request is dropped, and read so that its departure is seen.
  channel.consumer = () => true;
  channel.resume();
  const [nextHop, ...left] = route;
  if (nextHop === undefined) {
    await serveFile(connection, name);
  } else {
    transfer.relaying(name, nextHop);
    await relay(connection, { rest, nextHop, head: encodeMessage({ name, route: left }) });
  }
  transfer.completed();
}

async function serveFile({ node, transfer, outlet }: Connection, name: string): Promise<void> {
  transfer.serving(name);
  const { handle, size } = await node.root.openFile(name);
  try {
    await sendFileBytes(handle, 0, size, outlet);
  } finally {
    transfer.bytes = outlet.sent;
    await handle.close();
  }
  await outlet.finish();
}
