import { type IncomingMessage, request } from 'node:http';
import type { TestContext } from 'node:test';
import { type Gateway, type GatewayEvent, type GatewayOptions, type Location, openGateway } from 'viaduct';
import { systemCode } from '#src/errors.js';
import { TRUSTED } from './identity.js';

export interface TestGateway extends Gateway {
  readonly events: readonly GatewayEvent[];
  /** The first event, past or future, that fits. */
  event<T extends GatewayEvent['type']>(type: T): Promise<Extract<GatewayEvent, { type: T }>>;
}

/** A gateway in this process that trusts the nodes of tests, and closes with the test. */
export async function testGateway(
  t: TestContext,
  location: Location,
  options: GatewayOptions = {},
): Promise<TestGateway> {
  const events: GatewayEvent[] = [];
  const watchers = new Set<(event: GatewayEvent) => void>();
  const gateway = await openGateway(location, {
    ...TRUSTED,
    checkRelayKey: async () => {},
    ...options,
    onEvent: (event) => {
      events.push(event);
      for (const watcher of watchers) watcher(event);
    },
  });
  t.after(() => gateway.close());
  return {
    ...gateway,
    events,
    event: (type) =>
      new Promise((resolve) => {
        const look = (event: GatewayEvent): void => {
          if (!isType(event, type)) return;
          watchers.delete(look);
          resolve(event);
        };
        watchers.add(look);
        for (const event of events) if (watchers.has(look)) look(event);
      }),
  };
}

function isType<T extends GatewayEvent['type']>(
  event: GatewayEvent,
  type: T,
): event is Extract<GatewayEvent, { type: T }> {
  return event.type === type;
}

/** What a local client got; status 0 if a reset has destroyed even the head. */
export interface LocalAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
  /** The whole body has come. */
  readonly isWhole: boolean;
}

export interface LocalRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const NOTHING: LocalAnswer = { status: 0, headers: {}, body: Buffer.alloc(0), isWhole: false };

/** Asks a gateway as a program of this machine does, over a connection of its own. */
export function ask(url: string, { method = 'GET', headers = {} }: LocalRequest = {}): Promise<LocalAnswer> {
  return new Promise((resolve, reject) => {
    let hasReply = false;
    const sent = request(url, { method, headers, agent: false }, (reply) => {
      hasReply = true;
      const chunks: Buffer[] = [];
      reply.on('data', (chunk: Buffer) => chunks.push(chunk));
      reply.on('error', () => {}); // Cut off, which `complete` tells.
      reply.on('close', () =>
        resolve({
          status: reply.statusCode ?? 0,
          headers: reply.headers,
          body: Buffer.concat(chunks),
          isWhole: reply.complete,
        }),
      );
    });
    sent.on('error', (error) => {
      if (hasReply) return;
      if (systemCode(error) === 'ECONNRESET') resolve(NOTHING);
      else reject(error);
    });
    sent.end();
  });
}
