import { type Field, valuesOf } from './head.js';

/** Pages can run scripts, and all hops share one browser origin: a page gets an origin of its own, and no scripts. */
const SANDBOX = 'sandbox allow-downloads';

/**
 * Without scripts a page still connects where a link has `ping`: such a request names the page and where the link leads, with the
 * secrets in their URLs, whatever the `Referrer-Policy`.
 */
const NO_PING = "connect-src 'none'";

/** No file has a slash at its end. */
const FOLDER_PATH = /^[^?#]*\/(?:[?#]|$)/;

/** The page of a folder may have a form, which leads to the node again. Files that are pages may have none. */
const FOLDER_SANDBOX = `${SANDBOX} allow-forms; ${NO_PING}; form-action 'self'`;

const PAGE_SANDBOX = `${SANDBOX}; ${NO_PING}`;

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
 * What a browser may do with content that comes from a hop: no page may run scripts, be taken for another type than it
 * declares, or tell other hosts where it stands.
 * @param fields of the reply: its type decides
 * @param isFolder it is the page of a folder
 */
export function contentPolicy(fields: readonly Field[], isFolder: boolean): readonly Field[] {
  const types = valuesOf(fields, 'content-type');
  const isPassive = types.length === 1 && PASSIVE_TYPE.test(types[0] ?? '');
  return isPassive ? OF_PASSIVE : isFolder ? OF_FOLDER : OF_PAGE;
}

function withPolicy(policy: string): readonly Field[] {
  return [
    ['Content-Security-Policy', policy],
    ['X-Content-Type-Options', 'nosniff'],
    ['Referrer-Policy', 'no-referrer'],
  ];
}

const OF_PASSIVE = withPolicy(PASSIVE);
const OF_FOLDER = withPolicy(FOLDER_SANDBOX);
const OF_PAGE = withPolicy(PAGE_SANDBOX);

/** Whether a path at a node, with its query, can only be that of a folder. */
export function isFolderPath(path: string): boolean {
  return FOLDER_PATH.test(path);
}
