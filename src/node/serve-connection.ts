import { ViaductError, asViaductError } from '../errors.js';
import { lingeringClose } from '../tcp/linger.js';
import { serveClassic } from './classic.js';
import type { Connection } from './connection.js';
import { sniff } from './first-bytes.js';
import { serveHttp, tlsRequired } from './http/serve.js';

/**
 * Serves a connection from its first byte to its last. Never rejects; on return its streams are closed.
 * @param begin what was read of it
 */
export async function serveConnection(
  connection: Connection,
  begin: Buffer = Buffer.alloc(0),
): Promise<void> {
  const { node, signal } = connection;
  try {
    let next: Buffer | undefined = begin;
    while (next !== undefined) next = await serveDialect(connection, next);
    connection.linger();
    await lingeringClose(connection.stream, signal, node.times.lingerMs);
  } catch (error) {
    connection.stream.reset();
    // A kept connection may break between two requests, when there is nothing to report.
    if (!connection.exchange.ended) connection.exchange.failed(asViaductError(error));
  } finally {
    connection.closed();
  }
}

/** @returns the first bytes of what comes next on the connection, in TLS or at the end of a tunnel; undefined after FIN */
async function serveDialect(connection: Connection, begin: Buffer): Promise<Buffer | undefined> {
  const { stream, node, signal } = connection;
  const first = await sniff(stream, begin, node.silenceMs, node.times, signal);
  connection.exchange.stage('dialect', () => first.dialect);
  switch (first.dialect) {
    case 'tls':
      if (node.tls === undefined) return refuseTls(connection);
      await connection.secure(first.bytes);
      return Buffer.alloc(0);
    case 'http':
      return (await serveHttp(connection, first.bytes))?.begin;
    case 'classic':
      if (node.tlsOnly && !connection.isSecure) throw tlsRequired();
      await serveClassic(connection, first);
      return undefined;
  }
}

/** handshake_failure, fatal, in a record (RFC 8446 §5.1, §6.2). */
const HANDSHAKE_FAILURE = Buffer.from([0x15, 3, 3, 0, 2, 2, 40]);

/** Of a node without a key: an alert, so that the client does not take it for a broken connection. */
async function refuseTls({ exchange, writer }: Connection): Promise<undefined> {
  exchange.failed(new ViaductError('TLS_FAILED', 'this node has no key for TLS'));
  await writer.write(HANDSHAKE_FAILURE);
  await writer.finish();
}
