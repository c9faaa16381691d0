import type { OffloadJob, OffloadResult } from '../offload.js';

/** What the main thread sends to a splice worker; it numbers the jobs. */
export type Order = TakeOrder | { readonly abort: number } | { readonly stop: true };

export interface TakeOrder {
  readonly take: OffloadJob;
  readonly id: number;
  /**
   * Shared memory: bytes to the client and to upstream so far. The worker writes them, the main thread reads them at
   * any time. Aligned words of 8 bytes are written whole on the processors that splice is used on.
   */
  readonly moved: Float64Array;
}

/** What a worker sends to the main thread. */
export type Report = { readonly ready: true } | { readonly id: number; readonly result: OffloadResult };

/** What a worker starts with. */
export interface WorkerStart {
  readonly epoll: number;
  /** An eventfd, readable when there are orders. */
  readonly orders: number;
  /** Pipes of the large size that it may have. */
  readonly largePipes: number;
  /** Every descriptor that the worker opens, so that they can be closed should it die; 0 is a free place. */
  readonly descriptors: Int32Array;
}
