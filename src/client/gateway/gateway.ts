import { type Server, createServer } from 'node:http';
import { ViaductError } from '../../errors.js';
import type { Location } from '../../route/location.js';
import { listenError } from '../../tcp/listen.js';
import { HEAD_BYTES } from '../../wire/http/head.js';
import { originError } from '../http/file-reply.js';
import { type Encryption, knownHostsOnly } from '../http/encryption.js';
import { Sessions } from '../http/sessions.js';
import { headOf } from '../listing.js';
import { Connections } from './connections.js';
import type { Gateway, GatewayEvent, GatewayOptions } from './options.js';
import { RouteWatch } from './route-watch.js';
import { Tickets } from './secret.js';
import { LocalServer } from './serve.js';
import { STATUS_PATH } from './pages/status.js';
import { Transfers } from './transfers.js';

const ADDRESS = '127.0.0.1';

/** For the head of a request. A client on the same machine is fast. */
const HEAD_MS = 10_000;

/**
 * Opens a file or folder at the end of a route for the programs of this machine: a gateway on 127.0.0.1 that answers HTTP
 * (GET and HEAD) and fetches over the route, in TLS to its last hop unless `plain`. It first requests the head of the location, so that
 * a wrong route, path or key fails here.
 *
 * Only clients that know its URL can read. A reply that breaks off goes on from the byte where it broke; whole files are
 * verified before the client gets their end.
 *
 * @throws ViaductError as `get` before its first byte; LISTEN_FAILED; the reason of the signal
 */
export async function openGateway(location: Location, options: GatewayOptions = {}): Promise<Gateway> {
  const sessions = new Sessions();
  const closing = new AbortController();
  const { encryption: given = knownHostsOnly(), onEvent = () => {} } = options;
  let pin: string | undefined;
  const checkKey: Encryption['checkKey'] = async (route, presented) => {
    await given.checkKey(route, presented);
    if (route.length === location.route.length) pin = presented;
  };
  const emit = (event: GatewayEvent): void => {
    if (!closing.signal.aborted) onEvent(event);
  };
  const { signal, ...others } = options;
  const shared = { ...others, encryption: { ...given, checkKey }, sessions };
  try {
    const opened = await findLocation(location, { ...shared, signal });
    const watch = new RouteWatch(opened, shared, closing.signal, emit);
    const tickets = new Tickets();
    const identity = (): string => identityText(shared, pin);
    const transfers = new Transfers(emit);
    const local = new LocalServer({
      ...shared,
      location: opened,
      watch,
      transfers,
      tickets,
      identity,
      closing: closing.signal,
    });
    const { server, port } = await listenLocally(options.port ?? 0);
    // As clients send it in Host: the port that http:// has anyway is left out.
    const { host } = new URL(`http://${ADDRESS}:${port}`);
    const connections = new Connections(server);
    server.on('request', (request, response) => void local.serve(request, response, { host, connections }));
    const base = `http://${host}/${local.secret}`;
    return {
      url: base + opened.path,
      statusUrl: base + STATUS_PATH,
      location: opened,
      ticketUrl: () => `http://${host}/${tickets.issue()}`,
      close: async () => {
        closing.abort(new ViaductError('ABORTED', 'the gateway was closed'));
        const closed = new Promise((resolve) => server.close(resolve));
        server.closeAllConnections();
        await Promise.all([closed, sessions.close()]);
      },
    };
  } catch (error) {
    await sessions.close();
    throw error;
  }
}

/** The location, with a slash at the end of its path if it is a folder. */
async function findLocation(location: Location, options: Parameters<typeof headOf>[1]): Promise<Location> {
  const { status } = await headOf(location, options);
  // Wherever else it may lead, from a node it means the folder of that name.
  if (status === 301) return { ...location, path: `${location.path}/` };
  if (status !== 200) throw originError(location, 'HTTP_ERROR', `answered with status ${status}`);
  return location;
}

function identityText({ plain, encryption }: GatewayOptions, pin: string | undefined): string {
  if (plain === true) return 'Not encrypted to the last hop (--plain).';
  if (encryption?.authorities !== undefined)
    return 'Encrypted to the last hop, which has a trusted certificate.';
  return `Encrypted to the last hop, whose key is known: ${pin ?? ''}. Relays cannot read what they pass on.`;
}

/** @throws ViaductError LISTEN_FAILED */
function listenLocally(port: number): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer({
    maxHeaderSize: HEAD_BYTES,
    headersTimeout: HEAD_MS,
    requestTimeout: HEAD_MS,
    connectionsCheckingInterval: HEAD_MS / 2,
    noDelay: true,
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, { host: ADDRESS, port })));
    server.listen({ host: ADDRESS, port }, () => {
      server.on('error', () => {}); // An accept that failed: the connection is gone, the listener is not.
      const address = server.address();
      if (address === null || typeof address === 'string')
        return reject(new Error('a TCP listener has a port'));
      resolve({ server, port: address.port });
    });
  });
}
