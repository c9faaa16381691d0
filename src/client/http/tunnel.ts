import { type ErrorCode, ViaductError, withContext } from '../../errors.js';
import type { Route } from '../../route/hop.js';
import type { Scheme } from '../../route/location.js';
import { framingOf } from '../../wire/http/reply.js';
import { UPGRADE_FIELDS, helloField, isTunnel } from '../../wire/http/upgrade.js';
import { askFirstHop } from './ask.js';
import type { Encryption } from './encryption.js';
import type { LinkOptions } from './link.js';
import { errorOf } from './reply-head.js';
import { Reply, peerError } from './reply.js';
import { NEEDS_PLAIN, type Reached } from './secure.js';

/**
 * Builds a tunnel to the last hop of a route.
 * @param hello the TLS ClientHello for that hop. @default none: it is not in TLS
 * @param scheme of the first link
 * @throws ViaductError as for any request; BAD_REPLY if the first hop answers anything but 101 or an error
 */
export async function openTunnel(
  route: Route,
  hello: Buffer | undefined,
  scheme: Scheme,
  encryption: Encryption,
  options: LinkOptions,
): Promise<Reached> {
  // Ties the logs of the nodes together. All other fields are for the last hop alone: an ETag names a file too.
  const trace = (options.fields ?? []).filter(([name]) => name === 'traceparent');
  const fields = [...trace, ...UPGRADE_FIELDS, ...(hello === undefined ? [] : [helloField(hello)])];
  const question = { method: 'GET', path: '/', fields, maySwitch: true };
  const { peer, head, rest } = await askFirstHop(route, scheme, question, encryption, options);
  try {
    if (head.status === 101 && isTunnel(head.fields)) return { stream: peer.stream, begin: rest };
    if (head.status < 400)
      throw peerError(
        peer,
        'BAD_REPLY',
        `answered ${head.status} and builds no tunnel: an older version?`,
        undefined,
        NEEDS_PLAIN,
      );
    const reply = new Reply(peer, head, framingOf(head, false), rest);
    throw ofTheTunnel(await errorOf(reply, { route, path: '/' }), route);
  } catch (error) {
    peer.stream.reset();
    throw error;
  }
}

/** What only the origin may decide: whether the file exists, for whom, and in which version. */
const OF_THE_FILE = new Set<ErrorCode>([
  'NOT_FOUND',
  'FORBIDDEN',
  'PRECONDITION_FAILED',
  'RANGE_NOT_SATISFIABLE',
]);

/** A tunnel that was not built has not reached the origin, whatever a relay reports. */
function ofTheTunnel(error: ViaductError, route: Route): ViaductError {
  // An old relay passes on no upgrade. The last hop got the ClientHello: an old one ends the connection.
  const endedByLast = error.code === 'CUT_SHORT' && error.hopNumber === route.length;
  if (endedByLast || error.code === 'BAD_REPLY')
    return withContext(error, (message) => message, { hint: NEEDS_PLAIN });
  if (!OF_THE_FILE.has(error.code)) return error;
  const { message, hopAddress, hopNumber } = error;
  return new ViaductError('HTTP_ERROR', message, { hopAddress, hopNumber, cause: error });
}
