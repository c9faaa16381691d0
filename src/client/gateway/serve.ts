import type { IncomingMessage, ServerResponse } from 'node:http';
import pLimit, { type LimitFunction } from 'p-limit';
import { ViaductError, asViaductError } from '../../errors.js';
import type { Location } from '../../route/location.js';
import { parseTarget } from '../../route/url.js';
import type { Field } from '../../wire/http/head.js';
import { OriginFile } from '../get/origin-file.js';
import { unlessAborted } from '../get/retry.js';
import type { Connections } from './connections.js';
import { errorReply } from './pages/error-reply.js';
import { isOurs, pathBehind, splitTarget } from './guard.js';
import { LocalReply } from './local-reply.js';
import { PAGE_POLICY } from './pages/page.js';
import { Passage, type PassageOptions } from './passage.js';
import { type Tickets, newSecret } from './secret.js';
import { STATUS_PATH, StatusPages } from './pages/status.js';
import type { Transfers } from './transfers.js';

/** Connections over the route at once. Browsers open 6 to one host, aria2 at most 16. */
const CONNECTIONS = 32;
/** A request waits so long for one of them. */
const TURN_MS = 60_000;

export interface ServeOptions extends PassageOptions {
  /** What was opened. */
  readonly location: Location;
  readonly transfers: Transfers;
  readonly tickets: Tickets;
  /** How the last hop is known, such as its pin. */
  readonly identity: () => string;
  /** Aborts when the gateway is closed. */
  readonly closing: AbortSignal;
}

/** Answers the requests of local clients. */
export class LocalServer {
  /** First segment of all paths. */
  readonly secret = newSecret();
  readonly #options: ServeOptions;
  readonly #status: StatusPages;
  readonly #turns: LimitFunction = pLimit(CONNECTIONS);

  constructor(options: ServeOptions) {
    this.#options = options;
    const { location, watch, transfers, identity } = options;
    this.#status = new StatusPages(() => ({
      location,
      watch,
      identity: identity(),
      transfers: transfers.all,
    }));
  }

  /** Never rejects. @param at where it came: `host` as in `Host` */
  async serve(
    request: IncomingMessage,
    response: ServerResponse,
    at: { readonly host: string; readonly connections: Connections },
  ): Promise<void> {
    response.on('error', () => {}); // Followed by `close`.
    const target = isOurs(request, at.host) ? splitTarget(request.url ?? '') : undefined;
    const path = target && pathBehind(target, this.secret);
    if (target === undefined || path === undefined) {
      const isTicket = target !== undefined && (await this.#isTicket(target.first, request));
      if (isTicket) redirect(response, `/${this.secret}${this.#options.location.path}`);
      else notFound(response);
      return;
    }
    if (!at.connections.know(request.socket)) return;
    const { method } = request;
    if (method !== 'GET' && method !== 'HEAD') return notAllowed(response);
    const home = `../..${this.#options.location.path}`;
    if (await this.#status.serve(path, home, request, response)) return;
    await this.#pass(method, path, request, response);
  }

  #isTicket(ticket: string, { socket }: IncomingMessage): Promise<boolean> {
    const { remoteAddress = '', remotePort = 0, localAddress = '', localPort = 0 } = socket;
    const peer = { host: remoteAddress, port: remotePort };
    return this.#options.tickets.redeem(ticket, { peer, own: { host: localAddress, port: localPort } });
  }

  async #pass(
    method: 'GET' | 'HEAD',
    path: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { transfers } = this.#options;
    const to = new LocalReply(request, response);
    const transfer = transfers.begin(method, path);
    try {
      const location = this.#locationOf(path);
      await this.#inTurn(to.signal, async () => {
        const passage = new Passage(location, to, transfer, this.#options);
        await passage.run(request);
        transfer.completed(passage.digest);
      });
    } catch (error) {
      const known = asViaductError(error);
      this.#options.watch.failed(known);
      transfer.failed(known);
      if (to.signal.aborted || to.hasBegun) to.cut();
      else await this.#fail(known, path, request, response);
    }
  }

  /** @throws ViaductError NOT_FOUND for a path with further hops: their keys would not be checked */
  #locationOf(path: string): Location {
    const { route, path: clean } = parseTarget(path);
    if (route.length > 0)
      throw new ViaductError(
        'NOT_FOUND',
        'further hops cannot be opened here; give the whole route to viaduct open',
      );
    return { ...this.#options.location, path: clean };
  }

  /** @throws ViaductError UNAVAILABLE if no connection becomes free */
  async #inTurn(signal: AbortSignal, act: () => Promise<void>): Promise<void> {
    const full = `${CONNECTIONS} requests are being answered already; try again later`;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new ViaductError('UNAVAILABLE', full)), TURN_MS);
    const over = AbortSignal.any([late.signal, signal]);
    const done = this.#turns(async () => {
      over.throwIfAborted();
      clearTimeout(timer);
      await act();
    });
    try {
      await unlessAborted(done, over);
    } finally {
      clearTimeout(timer);
    }
  }

  async #fail(
    error: ViaductError,
    path: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const own = error.code === 'RANGE_NOT_SATISFIABLE' ? await this.#sizeField(path) : [];
    const statusPath = `/${this.secret}${STATUS_PATH}`;
    const { status, fields, body } = errorReply(error, request, statusPath, own);
    response.writeHead(status, fields.flat()).end(request.method === 'HEAD' ? undefined : body);
  }

  /** A reply that refuses a range has the size of the file (RFC 9110 §15.5.17). */
  async #sizeField(path: string): Promise<Field[]> {
    const file = new OriginFile(this.#locationOf(path), this.#options, this.#options.closing);
    try {
      const head = await file.describe();
      const size = head.field('content-length');
      return size === undefined ? [] : [['Content-Range', `bytes */${size}`]];
    } catch {
      return [];
    }
  }
}

/** For all who do not know the secret the same reply, whatever the request. */
function notFound(response: ServerResponse): void {
  const fields = [['Content-Type', 'text/plain'], ['Content-Length', '10'], ...PAGE_POLICY];
  response.writeHead(404, fields.flat()).end('not found\n');
}

function redirect(response: ServerResponse, path: string): void {
  const fields = [['Location', path], ['Content-Length', '0'], ['Cache-Control', 'no-store'], ...PAGE_POLICY];
  response.writeHead(303, fields.flat()).end();
}

function notAllowed(response: ServerResponse): void {
  const fields = [['Allow', 'GET, HEAD'], ['Content-Length', '0'], ...PAGE_POLICY];
  response.writeHead(405, fields.flat()).end();
}
