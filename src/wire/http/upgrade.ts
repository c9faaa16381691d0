import { ViaductError } from '../../errors.js';
import { type Field, listOf, valuesOf } from './head.js';

/*
 * The upgrade that builds a tunnel (RFC 9110 §7.8): `GET /@h2:11000/ HTTP/1.1` with `Connection: Upgrade` and
 * `Upgrade: viaduct`. A node answers 101 once the tunnel reaches to the end of the route.
 */

const PROTOCOL = 'viaduct';

/** Of a request for a tunnel, and of the 101 that answers it. */
export const UPGRADE_FIELDS: readonly Field[] = [
  ['Connection', 'Upgrade'],
  ['Upgrade', PROTOCOL],
];

/** Has the first bytes for the end of the tunnel, which saves a round trip: a TLS ClientHello, in base64. */
const HELLO_FIELD = 'Viaduct-Hello';

/** A ClientHello with a post-quantum key share has 1.8 KB (measured). */
const HELLO_BYTES = 4096;
const TLS_HANDSHAKE = 0x16;

/** Whether a request asks for a tunnel, or a 101 has built one. */
export function isTunnel(fields: readonly Field[]): boolean {
  const isUpgrade = listOf(fields, 'connection').some((option) => option.toLowerCase() === 'upgrade');
  return isUpgrade && listOf(fields, 'upgrade').some((protocol) => protocol.toLowerCase() === PROTOCOL);
}

export function helloField(hello: Buffer): Field {
  return [HELLO_FIELD, hello.toString('base64')];
}

/**
 * The bytes in {@link HELLO_FIELD}; none without it.
 * @throws ViaductError BAD_REQUEST if they are no ClientHello of at most 4 KiB in canonical base64
 */
export function helloOf(fields: readonly Field[]): Buffer {
  const [text, ...more] = valuesOf(fields, HELLO_FIELD.toLowerCase());
  if (text === undefined) return Buffer.alloc(0);
  const bytes = Buffer.from(text, 'base64');
  const isCanonical = more.length === 0 && bytes.toString('base64') === text;
  if (!isCanonical || bytes.length > HELLO_BYTES || bytes[0] !== TLS_HANDSHAKE)
    throw new ViaductError('BAD_REQUEST', `${HELLO_FIELD} is no ClientHello`);
  return bytes;
}
