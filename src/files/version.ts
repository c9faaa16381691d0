/** What a file is at its origin, by which a later reply is told to be of the same one. */
export interface Version {
  /** Strong; undefined where the origin gives none, and then nothing can be resumed. */
  readonly etag: string | undefined;
  /** In bytes. */
  readonly size: number;
}

/** Whether an `ETag` tells versions apart byte for byte (RFC 9110 §8.8.1). */
export function isStrongEtag(text: string): boolean {
  return /^"[\x21\x23-\x7e\x80-\xff]*"$/.test(text);
}
