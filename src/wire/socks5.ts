import { ViaductError } from '../errors.js';
import { parseAddress } from '../route/address.js';
import type { HostHop } from '../route/hop.js';

/*
 * SOCKS 5 (RFC 1928), with or without user and password (RFC 1929), as a client speaks it. The messages of errors follow the
 * name of the proxy that sent the bytes: `the proxy … does not speak SOCKS 5`.
 */

const VERSION = 5;
const CONNECT = 1;
const NO_LOGIN = 0;
const PASSWORD = 2;
const NONE_ACCEPTED = 0xff;
const IPV4 = 1;
const NAME = 3;
const IPV6 = 4;

/** A message, and what follows it. */
export interface Decoded<T> {
  readonly value: T;
  readonly rest: Buffer;
}

/** How the proxy wants to know the client; `refused`: in none of the ways that were offered. */
export type SocksMethod = 'none' | 'password' | 'refused';

/** The first message. @param hasLogin user and password are offered too */
export function encodeGreeting(hasLogin: boolean): Buffer {
  return Buffer.from(hasLogin ? [VERSION, 2, NO_LOGIN, PASSWORD] : [VERSION, 1, NO_LOGIN]);
}

/** @throws Error if user or password have not 1 to 255 bytes */
export function encodeLogin({
  user,
  password,
}: {
  readonly user: string;
  readonly password: string;
}): Buffer {
  const parts = [user, password].map((part) => Buffer.from(part));
  if (parts.some(({ length }) => length === 0 || length > 255)) throw new Error('a login has 1 to 255 bytes');
  return Buffer.concat([Buffer.from([1]), ...parts.flatMap((part) => [Buffer.from([part.length]), part])]);
}

/** Asks for a tunnel. A name is looked up by the proxy. */
export function encodeConnect({ host, port }: HostHop): Buffer {
  const address = parseAddress(host);
  const name = Buffer.from(host);
  if (address === undefined && name.length > 255) throw new Error('a name has at most 255 bytes');
  const target =
    address === undefined
      ? [NAME, name.length, ...name]
      : [address.kind() === 'ipv4' ? IPV4 : IPV6, ...address.toByteArray()];
  return Buffer.from([VERSION, CONNECT, 0, ...target, port >> 8, port & 0xff]);
}

/**
 * The answer to the greeting; undefined while it is incomplete.
 * @throws ViaductError BAD_REPLY
 */
export function decodeMethod(bytes: Buffer): Decoded<SocksMethod> | undefined {
  requireVersion(bytes);
  const [, method] = bytes;
  if (method === undefined) return undefined;
  const rest = bytes.subarray(2);
  if (method === NO_LOGIN) return { value: 'none', rest };
  if (method === PASSWORD) return { value: 'password', rest };
  if (method === NONE_ACCEPTED) return { value: 'refused', rest };
  throw new ViaductError('BAD_REPLY', `chose a login that was not offered (method ${method})`);
}

/** Whether the login was accepted. Some proxies send another version than 1, which as with curl does not matter. */
export function decodeLoginReply(bytes: Buffer): Decoded<boolean> | undefined {
  const [, status] = bytes;
  return status === undefined ? undefined : { value: status === 0, rest: bytes.subarray(2) };
}

/**
 * The code of the answer to CONNECT, 0 if the tunnel is open. A failure is known from its second byte: some proxies send no
 * more.
 * @throws ViaductError BAD_REPLY
 */
export function decodeConnectReply(bytes: Buffer): Decoded<number> | undefined {
  requireVersion(bytes);
  const [, code, , type, nameLength] = bytes;
  if (code === undefined) return undefined;
  if (code !== 0) return { value: code, rest: Buffer.alloc(0) };
  if (type === undefined) return undefined;
  const length = lengthOfAddress(type, nameLength);
  if (length === undefined || bytes.length < 4 + length + 2) return undefined;
  return { value: code, rest: bytes.subarray(4 + length + 2) };
}

/** With its byte of length, for a name; undefined while that is missing. */
function lengthOfAddress(type: number, nameLength: number | undefined): number | undefined {
  if (type === IPV4) return 4;
  if (type === IPV6) return 16;
  if (type === NAME) return nameLength === undefined ? undefined : 1 + nameLength;
  throw new ViaductError('BAD_REPLY', `sent an unknown kind of address (${type})`);
}

/** Another protocol is noticed with its first byte, not after a timeout. */
function requireVersion([version]: Buffer): void {
  if (version !== undefined && version !== VERSION)
    throw new ViaductError('BAD_REPLY', 'does not speak SOCKS 5');
}
