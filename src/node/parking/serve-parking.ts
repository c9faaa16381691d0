import { ViaductError } from '../../errors.js';
import { provenPin } from '../../identity/proof.js';
import { formatHead } from '../../wire/http/head.js';
import { ControlLines, PONG, type ParkingRequest, acceptedFields } from '../../wire/parking.js';
import type { HeldInput } from '../client-input.js';
import type { Connection } from '../connection.js';
import { secondsSince } from '../exchange.js';
import type { Lease } from './lease.js';

/**
 * Answers a request to park, and keeps the connection until its end. The log has the parking itself, not its requests.
 * @throws ViaductError before the 101: PARKING_REFUSED, BAD_REQUEST, UNAVAILABLE
 */
export async function serveParking(
  connection: Connection,
  request: ParkingRequest,
  input: HeldInput,
): Promise<void> {
  if (input.stop().length > 0)
    throw new ViaductError('BAD_REQUEST', 'bytes came before the connection was accepted');
  if (request.kind === 'control') return serveControl(connection, request);
  const { lobby } = connection.node;
  const lease = lobby.leaseFor(request.token);
  lease.coming(request.token);
  try {
    await accept(connection, request);
  } catch (error) {
    lease.lost();
    throw error;
  }
  const stream = connection.handOver();
  lease.arrived(stream);
  if (stream.closed) return;
  const close = (): void => {
    // Taken by a request, it ends with that.
    if (!lease.isOffered(stream)) return;
    stream.reset();
  };
  connection.keepAliveSignal.addEventListener('abort', close, { once: true });
  if (connection.keepAliveSignal.aborted) close();
  await new Promise<void>((resolve) => stream.onClose(resolve));
}

async function serveControl(
  connection: Connection,
  request: Extract<ParkingRequest, { kind: 'control' }>,
): Promise<void> {
  const { node, stream, network } = connection;
  const { lobby } = node;
  lobby.requireOpen();
  const binding = stream.channelBinding();
  const pin = binding && provenPin(request.proof, binding);
  if (pin === undefined)
    throw new ViaductError(
      'PARKING_REFUSED',
      'this node parks only who proves a key for this very connection, in TLS',
    );
  const send = (line: Buffer): void => {
    if (!stream.closed) stream.write(line);
  };
  const lease = await lobby.admit({ pin, name: request.name, network, send });
  try {
    await accept(connection, request);
  } catch (error) {
    lobby.release(lease, 'the connection was closed');
    throw error;
  }
  const { id: connectionId, peer } = connection;
  const parked = { connectionId, name: lease.name, pin };
  const startedAt = performance.now();
  node.emit({ type: 'parked', ...parked, peer });
  lease.refill();
  const reason = await controlled(connection, lease);
  lobby.release(lease, reason);
  node.emit({ type: 'unparked', ...parked, reason, seconds: secondsSince(startedAt) });
  if (!stream.closed) await connection.writer.finish();
}

async function accept({ exchange, writer }: Connection, request: ParkingRequest): Promise<void> {
  exchange.replyBegun = true;
  await writer.write(formatHead('HTTP/1.1 101 Switching Protocols', acceptedFields(request)));
  exchange.completed(true);
}

/** Answers pings until the connection ends. @returns why it did */
function controlled(connection: Connection, lease: Lease): Promise<string> {
  const { stream, node, keepAliveSignal: signal, isTunnel } = connection;
  const { beatLimitMs, relayBeatMs } = node.lobby.times;
  const lines = new ControlLines();
  let isPongUnread = false;
  return new Promise((resolve) => {
    const end = (reason: string): void => {
      clearTimeout(deadline);
      clearInterval(beats);
      reading.detach();
      forget();
      signal.removeEventListener('abort', stopped);
      lease.onEnd = () => {};
      resolve(reason);
    };
    const stopped = (): void => end('the node is being stopped');
    const deadline = setTimeout(() => {
      end(`it ${isPongUnread ? 'read' : 'sent'} nothing for ${beatLimitMs / 1000} s`);
      stream.reset();
    }, beatLimitMs);
    const beats = isTunnel ? setInterval(() => lease.beat(), relayBeatMs) : undefined;
    const reading = stream.attach({
      take: (chunk) => {
        // A node that pings and reads nothing must not fill this node's memory, nor be kept.
        if (isPongUnread) return true;
        deadline.refresh();
        try {
          if (lines.take(chunk).some(({ word }) => word === 'ping'))
            isPongUnread = !stream.write(PONG, () => (isPongUnread = false));
        } catch {
          end('it sent a line that is too long');
          stream.reset();
        }
        return true;
      },
      end: () => end('it left'),
    });
    const forget = stream.onClose(() => end('its connection broke'));
    signal.addEventListener('abort', stopped, { once: true });
    lease.onEnd = end;
    if (stream.closed) end('its connection broke');
    // Another one took its place while it was being accepted.
    else if (lease.ended !== undefined) end(lease.ended);
    else if (signal.aborted) stopped();
    else reading.resume();
  });
}
