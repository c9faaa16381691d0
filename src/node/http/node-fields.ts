import { type Field, valuesOf } from '../../wire/http/head.js';

/** Pages can run scripts, and all hops share one browser origin: a page gets an origin of its own, and no scripts. */
const SANDBOX = 'sandbox allow-downloads';

/** No file has a slash at its end. */
const FOLDER_PATH = /^[^?#]*\/(?:[?#]|$)/;

/** The page of a folder has a form, the filter, which leads to the node again. Files that are pages may have none. */
const FOLDER_SANDBOX = `${SANDBOX} allow-forms; form-action 'self'`;

/**
 * What cannot run scripts keeps its origin, since browsers load media and PDF only from the same origin, and gets nothing
 * else: no scripts, no other hosts.
 */
const PASSIVE =
  "default-src 'none'; img-src 'self' data:; media-src 'self'; object-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/** SVG and everything else that is XML can contain scripts. */
const PASSIVE_TYPE =
  /^(?:(?:audio|video)\/[\w.-]+|image\/(?:apng|avif|bmp|gif|jpeg|png|webp|vnd\.microsoft\.icon|x-icon)|text\/plain|application\/pdf)(?:[\t ]*;[^,]*)?$/i;

/**
 * Fields of every reply of a node. No page may run scripts, be taken for another type than it declares, or tell other
 * hosts where it stands; `Viaduct` shows a relay that a node has answered.
 * @param fields of the reply: its type decides what a browser may do with it
 * @param path of the request, at the origin
 */
export function nodeFields(status: number, fields: readonly Field[], path: string): Field[] {
  const types = valuesOf(fields, 'content-type');
  const isPassive = types.length === 1 && PASSIVE_TYPE.test(types[0] ?? '');
  const isFolder = status === 200 && FOLDER_PATH.test(path);
  return [
    ['Viaduct', '1'],
    ['Content-Security-Policy', isPassive ? PASSIVE : isFolder ? FOLDER_SANDBOX : SANDBOX],
    ['X-Content-Type-Options', 'nosniff'],
    ['Referrer-Policy', 'no-referrer'],
  ];
}
