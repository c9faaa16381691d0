import { VERSION } from '../../version.js';
import type { RequestHead } from '../../wire/http/head.js';
import type { Connection } from '../connection.js';
import { claimedClass } from '../http/forwarded.js';
import type { Reply } from '../http/reply.js';

/** What this node does and for whom. No secrets: neither paths nor names nor addresses. */
export function statusReply(connection: Connection, request: RequestHead): Reply {
  const { totals, startedAt, open, maxConnections, policy } = connection.node;
  const status = {
    program: 'viaduct',
    version: VERSION,
    uptimeSeconds: Math.round((performance.now() - startedAt) / 1000),
    /** The class of whoever asks, which says what would be relayed for him. */
    client: connection.clientClass(claimedClass(request)),
    relays: policy.summary,
    connections: { open: open(), limit: maxConnections },
    transfers: totals,
  };
  const fields = [
    ['Content-Type', 'application/json'],
    ['Cache-Control', 'no-store'],
  ] as const;
  return { status: 200, fields, body: Buffer.from(`${JSON.stringify(status)}\n`) };
}
