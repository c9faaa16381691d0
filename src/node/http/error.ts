import { STATUS_CODES } from 'node:http';
import Negotiator from 'negotiator';
import { serializeItem, serializeList, Token } from 'structured-headers';
import type { ErrorCode, ViaductError } from '../../errors.js';
import { isTopOfLink, withoutLink } from '../../route/share-link.js';
import { httpFailure } from '../../wire/http/failures.js';
import { type Field, type RequestHead, valuesOf } from '../../wire/http/head.js';
import { escapeHtml, page } from '../../html.js';
import { RangeNotSatisfiable } from '../origin/conditions.js';
import type { Reply } from '../origin/reply.js';
import type { Request } from './request.js';

/** Of a sentence in a field: a head has at most 16 KiB, and a file name may be long. */
const DETAIL_CHARS = 1024;

/**
 * An error as the client gets it: its status, `Proxy-Status` (RFC 9209) where a hop failed, and one
 * sentence with the number of the hop, as problem details (RFC 9457), text or a page, by Accept.
 */
export function errorReply(
  error: ViaductError,
  request: Pick<Request, 'head' | 'hopNumber' | 'target'>,
): Reply {
  const { head, hopNumber: number, target } = request;
  const { status, proxyError } = httpFailure(error.code);
  // An error about the next hop names it by itself.
  const detail = error.hopAddress === undefined ? `hop ${number}: ${error.message}` : error.message;
  const hop = error.hopAddress === undefined ? number : number + 1;
  const fields: Field[] = [
    ['Cache-Control', 'no-store'],
    ['Viaduct-Error', errorField(error, hop, detail)],
  ];
  if (proxyError !== undefined)
    fields.push(['Proxy-Status', proxyStatus(proxyError, detail, error.hopAddress)]);
  if (error.code === 'METHOD_NOT_ALLOWED') fields.push(['Allow', 'GET, HEAD']);
  if (error instanceof RangeNotSatisfiable) fields.push(['Content-Range', `bytes */${error.size}`]);
  const title = STATUS_CODES[status] ?? 'Error';
  switch (preferredType(head)) {
    case 'text/html': {
      // People may not know which host the number stands for; programs do.
      const [host] = valuesOf(head.fields, 'host');
      const named =
        error.hopAddress === undefined && host !== undefined
          ? `hop ${number} (${host}): ${error.message}`
          : detail;
      const back = ABOUT_THE_FILE.has(error.code) ? linkBack(target.path) : '';
      const body = `<h1>${status} ${escapeHtml(title)}</h1><p>${escapeHtml(sentence(named))}</p>${back}`;
      return reply(status, fields, 'text/html; charset=utf-8', page(`${status} ${title}`, body));
    }
    case 'text/plain':
      return reply(status, fields, 'text/plain; charset=utf-8', `${detail}\n`);
    case 'application/problem+json':
    case 'application/json':
    case undefined: {
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

/** Errors after which the folder around may help. */
const ABOUT_THE_FILE = new Set<ErrorCode>(['NOT_FOUND', 'FORBIDDEN', 'READ_FAILED']);

/** To the folder that the path lies in; relative, so that it keeps the route. */
function linkBack(path: string): string {
  const [name = '/'] = withoutLink(path).split(/[?#]/);
  if (name === '/' || isTopOfLink(path)) return '';
  return `<p><a href="${name.endsWith('/') ? '../' : './'}">Back to the folder</a></p>`;
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
  parameters.set('details', asciiOf(details));
  return serializeList([[new Token('viaduct'), parameters]]);
}

/** What the problem details have, for a client of HEAD, which gets no body. */
function errorField({ code, hopAddress }: ViaductError, hop: number, detail: string): string {
  const parameters = new Map<string, string | number>([['hop', hop]]);
  if (hopAddress !== undefined) parameters.set('address', hopAddress);
  parameters.set('detail', asciiOf(detail).slice(0, DETAIL_CHARS));
  return serializeItem([new Token(code), parameters]);
}

/** A structured-field string is printable ASCII (RFC 9651 §3.3.3). */
function asciiOf(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
