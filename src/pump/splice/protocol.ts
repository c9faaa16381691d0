import type { Job, Outcome } from '../offload.js';

/** What the main thread tells a splice worker; it numbers the jobs. */
export type Order =
  { readonly take: Job; readonly id: number } | { readonly abort: number } | { readonly stop: true };

/** What a worker tells the main thread. */
export type Report = { readonly ready: true } | { readonly id: number; readonly outcome: Outcome };

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
