import { STATUS_CODES, type IncomingMessage } from 'node:http';
import Negotiator from 'negotiator';
import type { ViaductError } from '../../../errors.js';
import { escapeHtml } from '../../../html.js';
import { httpFailure } from '../../../wire/http/failures.js';
import type { Field } from '../../../wire/http/head.js';
import { PAGE_POLICY, gatewayPage } from './page.js';

/** Seconds after which a client may ask again, and a page does. */
const RETRY_SECONDS = 3;

interface ErrorReply {
  readonly status: number;
  readonly fields: readonly Field[];
  readonly body: Buffer;
}

/**
 * An error as a local client gets it: as a page, text or problem details (RFC 9457), by Accept. The page of a failure that may
 * pass reloads by itself.
 * @param statusPath path of the status page
 * @param own more fields
 */
export function errorReply(
  error: ViaductError,
  { headers }: IncomingMessage,
  statusPath: string,
  own: readonly Field[],
): ErrorReply {
  const { code, hopAddress, hopNumber, message, transient } = error;
  const known = httpFailure(code).status;
  // What has no status of its own is wrong with what the hops sent, such as a key, or a digest that differs.
  const status = known === 500 && code !== 'INTERNAL' && code !== 'READ_FAILED' ? 502 : known;
  const title = `${status} ${STATUS_CODES[status] ?? ''}`;
  const retry: Field[] = transient ? [['Retry-After', String(RETRY_SECONDS)]] : [];
  const reply = (type: string, text: string): ErrorReply => ({
    status,
    fields: [
      ['Content-Type', type],
      ['Content-Length', String(Buffer.byteLength(text))],
      ['Cache-Control', 'no-store'],
      ...retry,
      ...PAGE_POLICY,
      ...own,
    ],
    body: Buffer.from(text),
  });
  switch (new Negotiator({ headers }).mediaType(['application/problem+json', 'text/html', 'text/plain'])) {
    case 'text/html': {
      const again = transient ? `<meta http-equiv="refresh" content="${RETRY_SECONDS}">` : '';
      const hint = transient ? '<p>This page reloads until the route works.</p>' : '';
      const text = `<h1>${escapeHtml(title)}</h1><p>${escapeHtml(sentence(message))}</p>${hint}`;
      const link = `<p><a href="${escapeHtml(statusPath)}">State of the route</a></p>`;
      return reply('text/html; charset=utf-8', gatewayPage(title, `${text}${link}`, again));
    }
    case 'text/plain':
      return reply('text/plain; charset=utf-8', `${message}\n`);
    case 'application/problem+json':
    case undefined:
    default: {
      const problem = { type: 'about:blank', title: STATUS_CODES[status], status, detail: message, code };
      const text = JSON.stringify({ ...problem, hop: hopNumber, address: hopAddress });
      return reply('application/problem+json', `${text}\n`);
    }
  }
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
