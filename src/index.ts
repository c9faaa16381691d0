export { ViaductError, type ErrorCode, type ErrorDetails } from './errors.js';
export {
  type Hop,
  type HostHop,
  type ParkedHop,
  type Route,
  formatHop,
  isParked,
  parseHop,
  parseHost,
  parsePort,
} from './route/hop.js';
export { type Source, formatInput, parseInput } from './route/input-file.js';
export { linkPath } from './route/share-link.js';
export { type Share, type SharedKind, encodeShare as shareToken } from './route/share-token.js';
export type { Subtree } from './route/subtree.js';
export { visible } from './text.js';
export { startNode } from './node/node.js';
export type { NodeOptions, RunningNode } from './node/options.js';
export type { NodeEvent } from './node/events.js';
export { type ProxyConfig, type ProxyLogin, parseProxy } from './proxy/config.js';
export { proxyFromEnvironment } from './proxy/environment.js';
export type { ClientJudgement } from './node/access/policy.js';
export { type FetchEvent, type FetchOptions, type FetchResult, fetchFile } from './client/classic/fetch.js';
export type { Sink } from './files/destination.js';
export { download } from './client/classic/download.js';
export { localName } from './client/save-name.js';
export { getAll } from './client/get/get-all.js';
export { type Location, formatLocation, locationOf, parseLocation } from './route/location.js';
export { type HopSpeed, type SpeedOptions, measureSpeeds, slowestLink } from './client/speed.js';
export { get } from './client/get/get.js';
export type { GetEvent, GetPhase } from './client/get/events.js';
export type {
  FileListener,
  GetAllOptions,
  GetItem,
  GetOptions,
  GetResult,
  GetSummary,
} from './client/get/options.js';
export { openGateway } from './client/gateway/gateway.js';
export type { Gateway, GatewayEvent, GatewayOptions } from './client/gateway/options.js';
export type { RequestOptions } from './client/http/request.js';
export { type Match, type MatchOptions, findMatches } from './client/matching.js';
export { type NamePattern, splitPattern } from './route/pattern.js';
export { Checksums } from './files/checksum-file.js';
export { type ListOptions, listFolder, listLocation } from './client/listing.js';
export type { ArchiveKind, LeftOut } from './wire/http/archive.js';
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
export { loadShareSecret } from './identity/share-secret.js';
export type { KeyAndCertificate } from './identity/certificate.js';
export type { Identity } from './identity/pem.js';
export { pinOfCertificate } from './identity/pin.js';
export { type ParkEvent, type ParkOptions, keepParked } from './client/parking/keep-parked.js';
export { type ParkFor, parseParkRules } from './identity/park-rules.js';
export type { ByteStream } from './tcp/byte-stream.js';
