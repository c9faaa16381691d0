import { asViaductError } from '../errors.js';
import { lingeringClose } from '../tcp/linger.js';
import { serveClassic } from './classic.js';
import type { Connection } from './connection.js';
import { sniff } from './first-bytes.js';
import { serveHttp } from './http/serve.js';

/** Serves an accepted connection from its first byte to its last. Never rejects; on return its streams are closed. */
export async function serveConnection(connection: Connection): Promise<void> {
  const { stream, node, signal } = connection;
  try {
    const first = await sniff(stream, node.silenceMs, node.times, signal);
    connection.exchange.stage('dialect', () => first.dialect);
    if (first.dialect === 'classic') await serveClassic(connection, first);
    else await serveHttp(connection, first.bytes);
    connection.linger();
    await lingeringClose(stream, signal, node.times.lingerMs);
  } catch (error) {
    stream.reset();
    // A kept connection may break between two requests, when there is nothing to report.
    if (!connection.exchange.ended) connection.exchange.failed(asViaductError(error));
  } finally {
    connection.closed();
  }
}
