import { decodeShare } from './share-token.js';
import { segmentsOf } from './subtree.js';
import { nameOfPath } from './url.js';

/*
 * A share link is a prefix of the path at the origin, so that relative links keep it:
 *
 *   /.viaduct/share/TOKEN/photos/2024/     ; the rest is an ordinary path below the root
 *
 * It has this one spelling. Whatever else means the same name is a malformed link, and opens nothing.
 */

/** First segment of the node's own resources; what a tree has under this name is never served. */
export const RESERVED = '.viaduct';

const SHARE = 'share';
const PREFIX = `/${RESERVED}/${SHARE}/`;

/** A link taken out of a path. */
export interface SplitLink {
  /** Of any form; empty if the link is malformed. */
  readonly token: string;
  /** What is left: a path as ever, or empty where the slash after the token is missing. */
  readonly path: string;
}

/** The path of a link. @param path at the origin, percent-encoded; begins with `/` */
export function linkPath(token: string, path: string): string {
  return `${PREFIX}${token}${path}`;
}

/**
 * Takes the link out of a path at the origin.
 * @returns undefined if there is none
 * @throws ViaductError BAD_REQUEST as `nameOfPath`
 */
export function splitLink(path: string): SplitLink | undefined {
  if (path.startsWith(PREFIX)) {
    const [, token = '', rest = ''] = /^([\w-]*)(\/.*|[?#].*)?$/s.exec(path.slice(PREFIX.length)) ?? [];
    return token === '' ? MALFORMED : { token, path: rest.startsWith('/') ? rest : '' };
  }
  return isLinkName(nameOfPath(path)) ? MALFORMED : undefined;
}

/** The link in a name that has no encoding, as on the classic wire, which cannot carry any. */
export function linkInName(name: string): SplitLink | undefined {
  return isLinkName(name) ? MALFORMED : undefined;
}

const MALFORMED: SplitLink = { token: '', path: '' };

function isLinkName(name: string): boolean {
  const [first, second] = name.split(/[/\\]/).filter((segment) => segment !== '' && segment !== '.');
  return first === RESERVED && second === SHARE;
}

/** The path without a link in front: where the file is below the root, whoever may read it. */
export function withoutLink(path: string): string {
  if (!path.startsWith(PREFIX)) return path;
  const rest = path.slice(PREFIX.length);
  const end = rest.indexOf('/');
  return end === -1 ? '/' : rest.slice(end);
}

/**
 * A name, path, target, URL or sentence as it may be shown: with `…` for each token, however the link is spelled. Who reads a
 * log or a message is not who may read the files.
 */
export function withoutTokens(text: string): string {
  if (!/share/i.test(plainOf(text))) return text;
  let found = 0;
  return text
    .split(/([/\\]|%2f|%5c)/i)
    .map((part, index) => {
      const plain = plainOf(part).toLowerCase();
      if (index % 2 === 1 || plain === '' || plain === '.') return part;
      if (found === 2) {
        found = plain === RESERVED ? 1 : 0;
        return part.replace(/^[^?#\s"]+/, '…');
      }
      if (plain.endsWith(RESERVED)) found = 1;
      else found = found === 1 && plain === SHARE ? 2 : 0;
      return part;
    })
    .join('')
    .replace(TOKEN, (part) => (decodeShare(part) === undefined ? part : '…'));
}

/** What may be a token, wherever it is. */
const TOKEN = /(?<![\w-])[\w-]{31}(?![\w-])/g;

/** Decoded as far as it can be. */
function plainOf(text: string): string {
  return text.replace(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Whether a path is at the top of what its link opens, if the link is right. */
export function isTopOfLink(path: string): boolean {
  const link = splitLink(path);
  if (link === undefined) return false;
  const claim = decodeShare(link.token);
  return claim !== undefined && segmentsOf(nameOfPath(link.path)).length <= claim.depth;
}
