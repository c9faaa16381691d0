import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { PAGE_POLICY, scriptPolicy } from './page.js';
import { newSecret } from '../secret.js';
import { type Status, sections, statusPage } from './status-page.js';

/** Below the secret: the name of the node's own resources, which no tree has. */
export const STATUS_PATH = '/.viaduct/open/';

/** Pages that are updated at the same time. */
const VIEWERS = 16;
const UPDATE_MS = 500;
/** The hops are probed so often while a page is open. */
const TRACE_MS = 5000;
/** A page waits so long for the first answers of the hops. */
const FIRST_TRACE_MS = 1500;

/** The status page, and the events that update it (server-sent events, HTML Living Standard §9.2). */
export class StatusPages {
  readonly #status: () => Status;
  readonly #viewers = new Set<ServerResponse>();

  constructor(status: () => Status) {
    this.#status = status;
  }

  /**
   * Answers a request for something below {@link STATUS_PATH}.
   * @param home path of what was opened, relative to the status page
   * @returns false if there is no such page
   */
  async serve(
    path: string,
    home: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<boolean> {
    if (path === STATUS_PATH) await this.#page(home, request, response);
    else if (path === `${STATUS_PATH}events` && this.#viewers.size < VIEWERS) this.#events(request, response);
    else return false;
    return true;
  }

  async #page(home: string, { method }: IncomingMessage, response: ServerResponse): Promise<void> {
    const { watch } = this.#status();
    const over = new AbortController();
    const limit = delay(watch.hops === undefined ? FIRST_TRACE_MS : 0, undefined, { signal: over.signal });
    await Promise.race([watch.refresh(), limit.catch(() => {})]);
    over.abort();
    const nonce = newSecret();
    const body = Buffer.from(statusPage(this.#status(), home, nonce));
    const fields = [
      ['Content-Type', 'text/html; charset=utf-8'],
      ['Content-Length', String(body.length)],
      ['Cache-Control', 'no-store'],
      ...scriptPolicy(nonce),
    ];
    response.writeHead(200, fields.flat()).end(method === 'HEAD' ? undefined : body);
  }

  #events({ method }: IncomingMessage, response: ServerResponse): void {
    const fields = [['Content-Type', 'text/event-stream'], ['Cache-Control', 'no-store'], ...PAGE_POLICY];
    response.writeHead(200, fields.flat());
    if (method === 'HEAD') return void response.end();
    response.flushHeaders();
    this.#viewers.add(response);
    const sent = new Map<string, string>();
    const update = (): void => {
      // A reader that is slow gets the newest state when it reads again.
      if (response.writableNeedDrain) return;
      for (const [id, html] of Object.entries(sections(this.#status()))) {
        if (sent.get(id) === html) continue;
        sent.set(id, html);
        response.write(`event: ${id}\ndata: ${JSON.stringify(html)}\n\n`);
      }
    };
    const trace = (): void => void this.#status().watch.refresh();
    const timers = [setInterval(update, UPDATE_MS), setInterval(trace, TRACE_MS)];
    response.on('close', () => {
      this.#viewers.delete(response);
      timers.forEach(clearInterval);
    });
    update();
    trace();
  }
}
