import type { Location } from '../../../route/location.js';
import type { Version } from '../../../files/version.js';
import type { Field } from '../../../wire/http/head.js';
import type { Encryption } from '../../http/encryption.js';
import type { LinkOptions } from '../../http/link.js';
import type { Sessions } from '../../http/sessions.js';
import type { GetEvent } from '../events.js';
import type { WritePart } from './part-request.js';
import type { PartQueue } from './queue.js';

/** A way to the file. */
export interface PartRoute {
  readonly location: Location;
  /** The file's version there. */
  readonly version: Version;
}

export interface LanesOptions extends LinkOptions {
  readonly encryption: Encryption;
  readonly plain?: boolean | undefined;
  readonly sessions: Sessions;
  readonly queue: PartQueue;
  readonly write: WritePart;
  /** Ties its requests together. */
  readonly traced: Field;
  /** Bytes of the file so far. */
  readonly bytes: () => number;
  /** Fixed number of connections on each route, that of the main stream included. @default as many as are worth it */
  readonly connections?: number | undefined;
  readonly onEvent?: ((event: GetEvent) => void) | undefined;
  readonly signal: AbortSignal;
}
