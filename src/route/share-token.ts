import { createHmac, timingSafeEqual } from 'node:crypto';
import { bytesOfName } from './name.js';
import type { Subtree } from './subtree.js';

/*
 * The token of a share link, base64url without padding of:
 *
 *   version   1 byte: 1
 *   expiry    4 bytes, big-endian: seconds since 1970, from which on it opens nothing
 *   depth     1 byte: number of leading segments of the path that it is for; 0 is all of the root
 *   kind      1 byte: 1 for a file, 2 for a folder and all below it
 *   mac       16 bytes: the beginning of HMAC-SHA256 with the secret of the origin, over a label, all of the above, and
 *             the segments, decoded, as bytes, with "/" between them
 *
 * A name has no "/", and the depth is covered, so no two paths have the same bytes.
 */

const VERSION = 1;
const MAC_BYTES = 16;
const HEAD_BYTES = 7;
const KINDS = ['file', 'folder'] as const;
/** Nothing else that the secret may ever be used for begins so. */
const LABEL = 'viaduct share link\0';

/** Bytes of a secret. */
export const SECRET_BYTES = 32;

/** As many as a byte can count. */
export const MAX_DEPTH = 255;

/** A file, or a folder and all that is below it. */
export type SharedKind = (typeof KINDS)[number];

/** What a link opens, and until when. */
export interface Share {
  /** At most {@link MAX_DEPTH} segments. */
  readonly below: Subtree;
  readonly kind: SharedKind;
  /** In whole seconds since 1970, below 2^32. */
  readonly expires: number;
}

/** What a token says by itself. Nothing of it is true before {@link isGenuine}. */
export interface ShareClaim {
  readonly depth: number;
  readonly kind: SharedKind;
  readonly expires: number;
  readonly bytes: Buffer;
}

/** @throws RangeError for a path that is too deep, or a time out of range */
export function encodeShare({ below, kind, expires }: Share, secret: Uint8Array): string {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt8(VERSION, 0);
  head.writeUInt32BE(expires, 1);
  head.writeUInt8(below.length, 5);
  head.writeUInt8(KINDS.indexOf(kind) + 1, 6);
  return Buffer.concat([head, macOf(head, below, secret)]).toString('base64url');
}

/** Reads a token. Each has one spelling. @returns undefined for a text that is none */
export function decodeShare(token: string): ShareClaim | undefined {
  const bytes = Buffer.from(token, 'base64url');
  if (bytes.length !== HEAD_BYTES + MAC_BYTES || bytes.toString('base64url') !== token) return undefined;
  const kind = KINDS[bytes.readUInt8(6) - 1];
  if (bytes.readUInt8(0) !== VERSION || kind === undefined) return undefined;
  return { depth: bytes.readUInt8(5), kind, expires: bytes.readUInt32BE(1), bytes };
}

/** Whether the owner of the secret has made this token for this path, which has as many segments as the token says. */
export function isGenuine({ depth, bytes }: ShareClaim, below: Subtree, secret: Uint8Array): boolean {
  const mac = macOf(bytes.subarray(0, HEAD_BYTES), below, secret);
  return timingSafeEqual(mac, bytes.subarray(HEAD_BYTES)) && below.length === depth;
}

function macOf(head: Buffer, below: Subtree, secret: Uint8Array): Buffer {
  const mac = createHmac('sha256', secret)
    .update(LABEL)
    .update(head)
    .update(bytesOfName(below.join('/')));
  return mac.digest().subarray(0, MAC_BYTES);
}
