import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { ByteStream } from '#src/tcp/byte-stream.js';
import { sockets } from '#src/tcp/descriptor/sockets.js';
import type { Flow, FlowResult, Pump, RunningFlow } from '#src/pump/pump.js';
import { acceptedByDescriptor, acceptedPair, dialledByDescriptor, dialledPair } from './streams.js';
import type { Cleanup } from './scope.js';

/** A flow under test: the two far ends, as plain sockets, and what the pump says in the end. */
export interface TestFlow {
  readonly client: Socket;
  readonly upstream: Socket;
  readonly clientStream: ByteStream;
  readonly upstreamStream: ByteStream;
  readonly running: RunningFlow;
  readonly result: Promise<FlowResult>;
  readonly abort: AbortController;
}

const MIB = 1024 * 1024;

/** The most that a kernel sets by itself. Where an administrator has set more, tests could not fill it in time. */
const BUFFER_LIMIT = 32 * MIB;

/** What a socket's buffer grows to at most here (tcp(7)), in bytes. */
function bufferLimit(name: 'tcp_rmem' | 'tcp_wmem'): number {
  try {
    const [, , most = BUFFER_LIMIT] = readFileSync(`/proc/sys/net/ipv4/${name}`, 'utf8')
      .split(/\s+/)
      .map(Number);
    return Math.min(most, BUFFER_LIMIT);
  } catch {
    return BUFFER_LIMIT;
  }
}

/** More than all buffers on the way take, whoever moves the bytes: of two connections, and a pipe between. */
export const ENDLESS_BYTES = 2 * (bufferLimit('tcp_rmem') + bufferLimit('tcp_wmem')) + 2 * MIB;

/** Bytes that are cheap to make, and of which none can be lost, doubled or moved without being seen. */
export function manyBytes(count: number): Buffer {
  return Buffer.alloc(count, randomBytes(MIB + 1));
}

/** Limits that no test reaches unless it sets its own. */
const NEVER_MS = 30_000;

/** Pumps that are tested with Node's sockets also where nodes do without them. */
const onNode = new WeakSet<Pump>();

/** The same pump, for {@link startFlow} with Node's sockets. */
export function withNodeSockets(pump: Pump): Pump {
  const same: Pump = (flow) => pump(flow);
  onNode.add(same);
  return same;
}

export async function startFlow(
  t: Cleanup,
  pump: Pump,
  mode: Flow['mode'],
  options: Partial<Flow> = {},
): Promise<TestFlow> {
  const isOwn = sockets() !== undefined && !onNode.has(pump);
  const [client, upstream] = await Promise.all(
    isOwn ? [acceptedByDescriptor(t), dialledByDescriptor(t)] : [acceptedPair(t), dialledPair(t)],
  );
  const abort = new AbortController();
  const running = pump({
    mode,
    client: client.stream,
    upstream: upstream.stream,
    fromClient: Buffer.alloc(0),
    fromUpstream: Buffer.alloc(0),
    silenceMs: NEVER_MS,
    stall: NEVER_MS,
    signal: abort.signal,
    ...options,
  });
  return {
    client: client.peer,
    upstream: upstream.peer,
    clientStream: client.stream,
    upstreamStream: upstream.stream,
    running,
    result: running.result,
    abort,
  };
}
