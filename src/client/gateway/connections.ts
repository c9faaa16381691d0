import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** Connections of clients that know the secret, and as many of others. */
const CONNECTIONS = 256;

/**
 * Connections of local clients. Every process of the machine can connect, so those that have not shown the secret are limited
 * apart: the oldest of them gives way to a new one.
 */
export class Connections {
  readonly #strangers = new Set<Socket>();
  readonly #known = new Set<Socket>();

  constructor(server: Server) {
    server.on('connection', (socket) => {
      this.#strangers.add(socket);
      socket.once('close', () => {
        this.#strangers.delete(socket);
        this.#known.delete(socket);
      });
      const [oldest] = this.#strangers;
      if (this.#strangers.size > CONNECTIONS) oldest?.destroy();
    });
  }

  /** Its client knows the secret. @returns false if there are too many of these: it is closed */
  know(socket: Socket): boolean {
    if (this.#known.has(socket)) return true;
    if (this.#known.size === CONNECTIONS || socket.destroyed) {
      socket.destroy();
      return false;
    }
    this.#strangers.delete(socket);
    this.#known.add(socket);
    return true;
  }
}
