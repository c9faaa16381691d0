import { closeSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { descriptorOf } from '#src/tcp/handle.js';
import { type Pipe, type SystemCalls, systemCalls } from '#src/system/calls.js';
import { acceptedPair } from './streams.js';

const bound = systemCalls();

/** Why tests of system calls are skipped; false where there are calls. */
export const withoutCalls = 'missing' in bound ? bound.missing : false;

/** The calls. Fails where there are none: such tests are skipped. */
export function calls(): SystemCalls {
  if ('missing' in bound) throw new Error(bound.missing);
  return bound;
}

/** A pipe that closes when the test ends. */
export function testPipe(t: TestContext): Pipe {
  const pipe = calls().pipe();
  closeAfter(t, pipe.readEnd);
  closeAfter(t, pipe.writeEnd);
  return pipe;
}

/** Closes a descriptor when the test ends, unless the test does. */
export function closeAfter(t: TestContext, fd: number): number {
  t.after(() => {
    try {
      closeSync(fd);
    } catch {
      // The test closed it.
    }
  });
  return fd;
}

/** A descriptor's number; the socket must be open. */
export function fdOf(socket: Socket): number {
  const fd = descriptorOf(socket);
  if (fd === undefined) throw new Error('the socket has no descriptor');
  return fd;
}

/** Two connected sockets, of which Node does not read the first. */
export async function socketPair(t: TestContext): Promise<readonly [Socket, Socket]> {
  const { socket, peer } = await acceptedPair(t);
  return [socket, peer];
}
