export { ViaductError, type ErrorCode, type ErrorDetails } from './errors.js';
export { type Hop, type Route, formatHop, parseHop, parseHost, parsePort } from './route/hop.js';
export { type Source, formatInput, parseInput } from './route/input-file.js';
export { visible } from './text.js';
export { type NodeOptions, type RunningNode, startNode } from './node/node.js';
export type { NodeEvent } from './node/events.js';
export type { ClientJudgement } from './node/access/policy.js';
export { type FetchEvent, type FetchOptions, type FetchResult, fetchFile } from './client/classic/fetch.js';
export type { Sink } from './files/destination.js';
export { download } from './client/classic/download.js';
export { localName } from './client/save-name.js';
export {
  type FileListener,
  type GetAllOptions,
  type GetItem,
  type GetSummary,
  getAll,
} from './client/get/get-all.js';
export { type Location, formatLocation, locationOf, parseLocation } from './route/location.js';
export { get } from './client/get/get.js';
export type { GetEvent, GetPhase } from './client/get/events.js';
export type { GetOptions, GetResult } from './client/get/options.js';
export type { RequestOptions } from './client/http/request.js';
export { type ListOptions, listFolder, listLocation } from './client/listing.js';
export type { Entry } from './wire/http/listing.js';
export {
  type AnsweringHop,
  type SilentHop,
  type TraceOptions,
  type TracedHop,
  failureIn,
  traceRoute,
} from './client/trace.js';
export type { Encryption, EncryptionOptions } from './client/http/encryption.js';
export { HostTrust, type HostTrustOptions } from './identity/host-trust.js';
export { type IdentityRole, loadIdentity } from './identity/identity.js';
export type { KeyAndCertificate } from './identity/certificate.js';
export type { Identity } from './identity/pem.js';
export { pinOfCertificate } from './identity/pin.js';
