/** The next part of a file: the bytes from `from` up to, but not including, `to`. */
export interface HashPart {
  /** Number of the file; each has its own hash. */
  readonly file: number;
  readonly fd: number;
  readonly from: number;
  readonly to: number;
  /** The hash begins with it, although bytes stand before it. */
  readonly begins?: boolean;
  /** It is the last one: the answer contains the digest. */
  readonly last: boolean;
  /** The file has holes (sparse), which need not be read. */
  readonly sparse?: boolean;
}

/** What the main thread sends to the thread that hashes. */
export type HashOrder = HashPart | { readonly forget: number } | { readonly close: true };

export interface HashAnswer {
  readonly file: number;
  /** SHA-256 as base64, after the last part. */
  readonly digest?: string;
  readonly error?: string;
}

export interface HashWorkerStart {
  /** The thread gives way to others: nice(1) of 10. Only on Linux, where a thread has a priority of its own. */
  readonly nice?: boolean;
}
