import { ViaductError } from '../../../errors.js';
import { queryOf } from '../../../route/url.js';

/*
 * What a client wants of a listing stands in the query of the folder's path:
 *
 *   ?q=TEXT&sort=name|size|time&order=asc|desc&page=1…
 *
 * Folders always stand before files. Other parameters mean nothing.
 */

const SORTS = ['name', 'size', 'time'] as const;
const ORDERS = ['asc', 'desc'] as const;

export type Sort = (typeof SORTS)[number];
export type Order = (typeof ORDERS)[number];

export interface ListingQuery {
  /** What names must contain; empty for all. */
  readonly text: string;
  readonly sort: Sort;
  readonly order: Order;
  /** From 1. */
  readonly page: number;
}

export const NO_QUERY: ListingQuery = { text: '', sort: 'name', order: 'asc', page: 1 };

/**
 * @param path of a request, with its query
 * @returns undefined if it asks for nothing of this
 * @throws ViaductError BAD_REQUEST for a value that a parameter cannot have
 */
export function parseListingQuery(path: string): ListingQuery | undefined {
  // Heads are read as latin1: a character is a byte, whether it was encoded or not.
  const given = new URLSearchParams(Buffer.from(queryOf(path), 'latin1').toString());
  if (!['q', 'sort', 'order', 'page'].some((name) => given.has(name))) return undefined;
  return {
    text: given.get('q') ?? NO_QUERY.text,
    sort: oneOf(SORTS, given, 'sort') ?? NO_QUERY.sort,
    order: oneOf(ORDERS, given, 'order') ?? NO_QUERY.order,
    page: pageIn(given),
  };
}

function oneOf<T extends string>(values: readonly T[], given: URLSearchParams, name: string): T | undefined {
  const text = given.get(name);
  if (text === null || text === '') return undefined;
  const value = values.find((known) => known === text);
  if (value === undefined)
    throw new ViaductError('BAD_REQUEST', `"${name}" of the listing is none of ${values.join(', ')}`);
  return value;
}

function pageIn(given: URLSearchParams): number {
  const text = given.get('page') ?? '';
  if (text === '') return NO_QUERY.page;
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new ViaductError('BAD_REQUEST', '"page" of the listing is not a number from 1');
  return Number(text);
}

/** A link, relative to the folder, to another view of its listing. The inverse of {@link parseListingQuery}. */
export function formatListingQuery(query: ListingQuery): string {
  const parameters = new URLSearchParams();
  if (query.text !== NO_QUERY.text) parameters.set('q', query.text);
  for (const name of ['sort', 'order', 'page'] as const)
    if (query[name] !== NO_QUERY[name]) parameters.set(name, String(query[name]));
  return parameters.size === 0 ? './' : `./?${parameters.toString()}`;
}
