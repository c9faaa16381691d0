/** Identifies one version of a file at its origin. A transfer is resumed only with the same version. */
export interface Version {
  /** A strong `ETag`; undefined if the origin sends none, and then a transfer cannot be resumed. */
  readonly etag: string | undefined;
  /** In bytes. */
  readonly size: number;
}

/** Whether an `ETag` is strong: equal tags mean equal bytes (RFC 9110 §8.8.1). */
export function isStrongEtag(text: string): boolean {
  return /^"[\x21\x23-\x7e\x80-\xff]*"$/.test(text);
}
