import { VERSION } from '../../version.js';
import type { AddressClass } from '../access/address.js';
import type { NodeContext } from '../context.js';
import type { Reply } from './reply.js';

/**
 * What this node does and for whom. No secrets: neither paths nor names nor addresses. Everyone gets it, also where only some
 * may read; but the size of what others fetch is theirs, so the totals are left out there.
 * @param client the class of the client, which determines what would be relayed for it
 */
export function statusReply(node: NodeContext, client: AddressClass): Reply {
  const { totals, startedAt, connections: table, policy, readers } = node;
  const { requests: accepted, completed, failed, bytes, connections } = totals;
  const status = {
    program: 'viaduct',
    version: VERSION,
    uptimeSeconds: Math.round((performance.now() - startedAt) / 1000),
    client,
    relays: policy.summary,
    ...(readers.arePublic && {
      connections: { open: table.size, limit: table.max, accepted: connections },
      transfers: { accepted, completed, failed, bytes },
    }),
  };
  const fields = [
    ['Content-Type', 'application/json'],
    ['Cache-Control', 'no-store'],
  ] as const;
  return { status: 200, fields, body: Buffer.from(`${JSON.stringify(status)}\n`) };
}
