import { ViaductError } from '../errors.js';
import { formatHop, limitHops } from '../route/hop.js';
import { linkInName } from '../route/share-link.js';
import { decodeMessage, encodeMessage } from '../wire/classic.js';
import { holdInput } from './client-input.js';
import { type AddressClass, CLASSES, outermost } from './access/address.js';
import type { Connection } from './connection.js';
import { sendFileBytes } from './origin/file-sender.js';
import { measured } from './origin/unsized.js';
import { relay } from './relay.js';

/** The outermost class that nodes before this one have seen. A third word that is no class is of someone else's making. */
function claimedClass(words: readonly string[]): AddressClass | undefined {
  const claims = CLASSES.filter((known) => words.includes(known));
  return claims.length === 0 ? undefined : claims.reduce(outermost);
}

/** Answers a classic message as origin or relay, up to and including FIN. Whatever fails ends in a reset. */
export async function serveClassic(
  connection: Connection,
  { message, rest }: { readonly message: Buffer; readonly rest: Buffer },
): Promise<void> {
  const { node, exchange, stream } = connection;
  const { name, route, classes } = decodeMessage(message);
  limitHops(route, node.maxHops, 1); // This node is one hop itself.
  if (connection.isTunnel && route.length > 0)
    throw new ViaductError('BAD_REQUEST', 'hops inside a tunnel are not relayed');
  connection.requestReceived();
  // What the client sends after its request is dropped.
  const input = holdInput(stream, rest, 0);
  const [nextHop, ...left] = route;
  if (nextHop === undefined) {
    await serveFile(connection, name);
    input.stop();
  } else {
    exchange.relaying(name, nextHop);
    const client = connection.clientClass(claimedClass(classes));
    // Of a client on the same host nothing is said: the message is then as an original sends it.
    const head = encodeMessage({ name, route: left }, client === 'loopback' ? undefined : client);
    const label = `next hop ${formatHop(nextHop)}`;
    await relay(connection, { input, nextHop, hopsLeft: left.length, head, label, client });
  }
  exchange.completed();
}

async function serveFile(connection: Connection, name: string): Promise<void> {
  const { node, exchange, writer, network } = connection;
  const link = linkInName(name)?.token;
  const decision = await connection.decideRead({ dialect: 'classic', name, link });
  if (!decision.allowed) throw decision.refusal;
  const opened = await node.turns.run(network, () => decision.root.openFile(name));
  exchange.replyBegun = true;
  exchange.countBytes(() => writer.sent);
  try {
    const { file, content } = await measured(opened);
    if (content !== undefined) await writer.write(content);
    else await sendFileBytes({ handle: opened.handle, start: 0, length: file.size }, writer);
  } finally {
    await opened.handle.close();
  }
  await writer.finish();
}
