import { withoutLink } from '../../../route/share-link.js';
import { type RequestHead, valuesOf } from '../../../wire/http/head.js';
import { hasClientVia, nodesIn } from '../../../wire/http/via.js';
import type { Root } from '../root.js';

/** A step of the way to a folder. */
export interface Crumb {
  readonly text: string;
  /** Relative; undefined where the client may not read, and for the last one. */
  readonly href: string | undefined;
}

/** What a request shows of where a folder is. */
export interface Place {
  /** Relative to the root, with `/` at its end; empty for the root. */
  readonly name: string;
  /** As the client has written it, percent-encoded, with its link. */
  readonly path: string;
  readonly root: Root;
}

/** As the client, or the relay before this node, calls it. */
export function hostOf({ fields }: RequestHead): string {
  return valuesOf(fields, 'host')[0] ?? 'this node';
}

/**
 * The hops that a request has passed, and this node. Only their number is known of the relays: a request has no names of hops
 * that are behind it. Their own folders are above this one in the URL, unless a link or a program stands between.
 */
export function hopCrumbs(request: RequestHead, { path }: Place): readonly Crumb[] {
  const relays = nodesIn(request.fields);
  const below = withoutLink(path);
  const isLinked = below === path && !hasClientVia(request.fields);
  const [folder = ''] = below.split(/[?#]/);
  const depth = folder.split('/').length - 2;
  const crumbs = Array.from({ length: relays }, (_, index) => ({
    text: `hop ${index + 1}`,
    href: isLinked ? '../'.repeat(depth + relays - index) : undefined,
  }));
  return [...crumbs, { text: hostOf(request), href: undefined }];
}

/** The folders from the root to this one. The text of the root is empty. */
export function folderCrumbs({ name, root }: Place): readonly Crumb[] {
  const segments = name.split('/').slice(0, -1);
  const crumbs: Crumb[] = [];
  // An empty segment is a step of the URL, though none of the way.
  for (const [index, text] of ['', ...segments].entries()) {
    if (text === '' && index > 0) continue;
    const up = segments.length - index;
    const isReadable = crumbs.length >= root.topDepth;
    crumbs.push({ text, href: up > 0 && isReadable ? '../'.repeat(up) : undefined });
  }
  return crumbs;
}
