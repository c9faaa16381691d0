import { STATUS_CODES } from 'node:http';
import Negotiator from 'negotiator';
import { serializeList, Token } from 'structured-headers';
import type { ViaductError } from '../../errors.js';
import { httpFailure } from '../../wire/http/failures.js';
import { type Field, type RequestHead, valuesOf } from '../../wire/http/head.js';
import { escapeHtml, page } from '../origin/html.js';
import { RangeNotSatisfiable } from '../origin/conditions.js';
import type { Reply } from '../origin/reply.js';
import type { Request } from './request.js';

/**
 * An error as the client gets it: its status, `Proxy-Status` (RFC 9209) where a hop failed, and one
 * sentence with the number of the hop, as problem details (RFC 9457), text or a page, by Accept.
 */
export function errorReply(error: ViaductError, request: Pick<Request, 'head' | 'hopNumber'>): Reply {
  const { head, hopNumber: number } = request;
  const { status, proxyError } = httpFailure(error.code);
  // An error about the next hop names it by itself.
  const detail = error.hopAddress === undefined ? `hop ${number}: ${error.message}` : error.message;
  const fields: Field[] = [['Cache-Control', 'no-store']];
  if (proxyError !== undefined)
    fields.push(['Proxy-Status', proxyStatus(proxyError, detail, error.hopAddress)]);
  if (error.code === 'METHOD_NOT_ALLOWED') fields.push(['Allow', 'GET, HEAD']);
  if (error instanceof RangeNotSatisfiable) fields.push(['Content-Range', `bytes */${error.size}`]);
  const title = STATUS_CODES[status] ?? 'Error';
  switch (preferredType(head)) {
    case 'text/html': {
      const body = `<h1>${status} ${escapeHtml(title)}</h1><p>${escapeHtml(sentence(detail))}</p>`;
      return reply(status, fields, 'text/html; charset=utf-8', page(`${status} ${title}`, body));
    }
    case 'text/plain':
      return reply(status, fields, 'text/plain; charset=utf-8', `${detail}\n`);
    case 'application/problem+json':
    case 'application/json':
    case undefined: {
      const hop = error.hopAddress === undefined ? number : number + 1;
      const problem = {
        type: 'about:blank',
        title,
        status,
        detail,
        code: error.code,
        hop,
        address: error.hopAddress,
      };
      return reply(status, fields, 'application/problem+json', `${JSON.stringify(problem)}\n`);
    }
  }
}

function reply(status: number, fields: readonly Field[], type: string, text: string): Reply {
  return { status, fields: [...fields, ['Content-Type', type]], body: Buffer.from(text) };
}

const TYPES = ['application/problem+json', 'application/json', 'text/html', 'text/plain'] as const;

function preferredType({ fields }: RequestHead): (typeof TYPES)[number] | undefined {
  const accept = valuesOf(fields, 'accept');
  const headers = accept.length === 0 ? {} : { accept: accept.join(',') };
  const preferred = new Negotiator({ headers }).mediaType([...TYPES]);
  return TYPES.find((type) => type === preferred);
}

function proxyStatus(type: string, details: string, nextHop: string | undefined): string {
  const parameters = new Map<string, string | Token>([['error', new Token(type)]]);
  if (nextHop !== undefined) parameters.set('next-hop', nextHop);
  // A structured-field string is printable ASCII (RFC 9651 §3.3.3).
  parameters.set('details', details.replace(/[^\x20-\x7e]/g, '?'));
  return serializeList([[new Token('viaduct'), parameters]]);
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
