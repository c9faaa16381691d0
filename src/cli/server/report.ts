import type { Logger } from 'pino';
import { systemReason } from '../../errors.js';
import type { NodeEvent } from '../../node/events.js';
import { formatHop } from '../../route/hop.js';
import { visible } from '../../text.js';

/** Members of a connection's log lines, besides those of the event. */
interface Facts {
  peer: string;
  role?: 'origin' | 'relay';
  name?: string;
  nextHop?: string;
  address?: string;
}

/**
 * Reports the events of a node: on standard output as the original program does, in its words (a "thread" is a
 * connection), and all others as log lines.
 */
export function createReporter(log: Logger, print: (line: string) => void): (event: NodeEvent) => void {
  const known = new Map<number, Facts>();
  return (event) => {
    if (event.type === 'refused') {
      return log.warn({ peer: event.peer, limit: event.limit }, 'connection refused: limit reached');
    }
    if (event.type === 'pump-died') {
      return log.error({ cause: visible(event.cause.message) }, 'a splice worker died; its flows were reset');
    }
    const { connection } = event;
    const facts = known.get(connection) ?? { peer: '' };
    known.set(connection, facts);
    switch (event.type) {
      case 'accepted':
        facts.peer = event.peer;
        print(`creating new thread ${connection}`);
        return log.debug({ connection, ...facts }, 'accepted');
      case 'serving':
        Object.assign(facts, { role: 'origin', name: visible(event.name) });
        print(`Working as a server in thread ${connection}`);
        return log.debug({ connection, ...facts }, 'serving');
      case 'relaying':
        Object.assign(facts, { role: 'relay', name: visible(event.name), nextHop: formatHop(event.nextHop) });
        print(`Working as a proxy in thread ${connection}`);
        return log.debug({ connection, ...facts }, 'relaying');
      case 'dialled':
        facts.address = event.address;
        return log.debug({ connection, ...facts, seconds: event.seconds }, 'dialled');
      case 'completed':
        known.delete(connection);
        print(`file sending in thread ${connection} completed`);
        return log.info({ connection, ...facts, bytes: event.bytes, seconds: event.seconds }, 'completed');
      case 'failed': {
        known.delete(connection);
        const { error, bytes, seconds } = event;
        print(`file sending in thread ${connection} failed: ${error.message}`);
        const { code, hopAddress, hopNumber } = error;
        const cause = error.cause === undefined ? undefined : visible(systemReason(error.cause));
        return log.warn(
          { connection, ...facts, code, hopAddress, hopNumber, cause, bytes, seconds },
          error.message,
        );
      }
    }
  };
}
