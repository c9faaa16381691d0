export { ViaductError, type ErrorCode, type ErrorDetails } from './errors.js';
export {
  type Hop,
  type Route,
  type Source,
  formatHop,
  formatInput,
  parseHop,
  parseHost,
  parseInput,
  parsePort,
  visible,
} from './route.js';
export { type NodeOptions, type RunningNode, startNode } from './node/node.js';
export type { NodeEvent } from './node/events.js';
export type { ClientJudgement } from './node/policy.js';
export { type FetchOptions, type Progress, type Sink, fetchFile } from './client/fetch.js';
export { download } from './client/download.js';
export { localName } from './client/local-name.js';
export { type FileListener, type GetAllOptions, type Order, type Totals, getAll } from './client/get-all.js';
export { type Location, formatLocation, locationOf, parseLocation } from './client/location.js';
export { type GetOptions, get } from './client/get.js';
export type { GetEvent, GetPhase } from './client/get-events.js';
export type { TransferOptions, Transferred } from './client/transfer.js';
export type { RequestOptions } from './client/request.js';
export { type ListOptions, listFolder, listLocation } from './client/listing.js';
export type { Entry } from './wire/listing.js';
export {
  type AnsweringHop,
  type SilentHop,
  type TraceOptions,
  type TracedHop,
  failureIn,
  traceRoute,
} from './client/trace.js';
