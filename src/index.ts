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
export { download, localName } from './client/download.js';
