import { once } from 'node:events';
import { createServer } from 'node:net';
import type { TestContext } from 'node:test';
import type { HostHop } from 'viaduct';
import { NodeProcess } from './processes.js';

/** A port that no outgoing connection takes while its node is down (below Linux's range for those). */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}

/** A node that can be killed, and started again on the same port. */
export class RestartableNode {
  readonly hop: HostHop;
  readonly #t: TestContext;
  readonly #options: { readonly root: string; readonly args: readonly string[] };
  #process: NodeProcess | undefined;

  private constructor(
    t: TestContext,
    options: { readonly root: string; readonly args: readonly string[] },
    port: number,
  ) {
    this.#t = t;
    this.#options = options;
    this.hop = { host: '127.0.0.1', port };
  }

  static async start(t: TestContext, root: string, args: readonly string[] = []): Promise<RestartableNode> {
    const node = new RestartableNode(t, { root, args }, await freePort());
    await node.start();
    return node;
  }

  async start(): Promise<void> {
    this.#process = await NodeProcess.start(this.#t, { ...this.#options, port: this.hop.port });
  }

  /** As `kill -9` does. */
  async kill(): Promise<void> {
    this.#process?.process.kill('SIGKILL');
    await this.#process?.ended;
  }
}
