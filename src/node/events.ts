import type { ViaductError } from '../errors.js';
import type { Hop, HostHop } from '../route/hop.js';

/** Which connection, and which request on it. Both count from 0 since the node's start. */
export interface RequestIds {
  readonly connectionId: number;
  readonly requestId: number;
  /** The same at all hops of a request over HTTP (W3C Trace Context), once its head is read. */
  readonly traceId?: string | undefined;
}

/** Steps of a request that only matter to someone who watches one. `detail` returns text for people. */
export interface StageEvent extends RequestIds {
  readonly type: 'stage';
  readonly stage: 'dialect' | 'head' | 'policy' | 'first-byte' | 'offloaded';
  readonly detail?: (() => string) | undefined;
}

/** The node is the origin of a request, whether its client may read or not. */
export interface ServingEvent extends RequestIds {
  readonly type: 'serving';
  readonly name: string;
  /** Of the key that the client has proved, if the node asks and it has one. */
  readonly clientPin?: string | undefined;
  /** The name that the client has in the list of authorized keys. */
  readonly client?: string | undefined;
  /** The client has a link, right or not. No event has its token. */
  readonly link?: true | undefined;
}

/** A parked node, by its control connection. */
interface ParkedNode {
  readonly connectionId: number;
  readonly name: string;
  /** That it has proved. */
  readonly pin: string;
}

/** What a node reports. A kept connection carries several requests, one after the other. */
export type NodeEvent =
  | { readonly type: 'accepted'; readonly connectionId: number; readonly peer: string }
  /** TLS is established. `clientPin`: of the identity that the client proved, if the node asks and it has one. */
  | { readonly type: 'secured'; readonly connectionId: number; readonly clientPin: string | undefined }
  /** Above the limit of connections; it has been reset and gets no id. */
  | { readonly type: 'refused'; readonly peer: string; readonly limit: number }
  /** A node is parked here, as `~name`. */
  | ({ readonly type: 'parked'; readonly peer: HostHop } & ParkedNode)
  /** It no longer is. */
  | ({ readonly type: 'unparked'; readonly reason: string; readonly seconds: number } & ParkedNode)
  /** The list of authorized keys was read, first or after a change. With `error` it cannot be used: nobody may read. */
  | { readonly type: 'authorized'; readonly keys: number; readonly error?: ViaductError | undefined }
  /** The secret of links was replaced, so that earlier ones open nothing; or, with `error`, no link opens anything. */
  | {
      readonly type: 'share-secret';
      readonly isReplaced: boolean;
      readonly error?: ViaductError | undefined;
    }
  /** A thread that moved bytes has died. Its flows are reset, and reported as failed. */
  | { readonly type: 'pump-died'; readonly cause: Error }
  /** A request is awaited: the first one from the accept on, further ones from their first byte on. */
  | ({ readonly type: 'request'; readonly peer: string } & RequestIds)
  | StageEvent
  | ServingEvent
  | ({ readonly type: 'relaying'; readonly name: string; readonly nextHop: Hop } & RequestIds)
  /** A relay is connected to the next hop, at this address. `isKept`: still, since an earlier request of the client. */
  | ({
      readonly type: 'dialled';
      readonly address: string;
      readonly seconds: number;
      readonly isKept?: true;
    } & RequestIds)
  /** The last byte, and FIN where the connection ends with it, are queued. */
  | ({
      readonly type: 'completed';
      readonly bytes: number;
      readonly seconds: number;
      /** Nobody asked for it, such as the icon that browsers ask for. */
      readonly isRoutine: boolean;
    } & RequestIds)
  /** The client got an error reply, or was reset. */
  | ({
      readonly type: 'failed';
      readonly error: ViaductError;
      readonly bytes: number;
      readonly seconds: number;
    } & RequestIds)
  /** The connection has ended. */
  | {
      readonly type: 'closed';
      readonly connectionId: number;
      readonly requests: number;
      readonly seconds: number;
    };
