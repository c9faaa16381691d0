import type { ByteStream } from './byte-stream.js';
import type { Sockets } from './descriptor/sockets.js';
import { DescriptorStream } from './descriptor/stream.js';
import { TcpStream } from './stream.js';

/** A stream that is dialled; who dials it may say why it is given up. */
export type DialledStream = ByteStream & { error: Error | undefined };

/**
 * Starts to dial an address.
 * @param connected called when the connection is established
 */
export type Connect = (
  address: string,
  port: number,
  connected: (stream: DialledStream) => void,
) => DialledStream;

/** @param sockets for streams without Node's sockets. @default with them */
export function connecting(sockets?: Sockets): Connect {
  return (address, port, connected) =>
    // A zone has a name that only Node knows.
    sockets === undefined || address.includes('%')
      ? TcpStream.dialling(address, port, connected)
      : DescriptorStream.dialling(sockets, address, port, connected);
}
