import { ViaductError } from '../errors.js';
import { parseParkedName } from '../route/parked-name.js';
import { type Field, listOf, valuesOf } from './http/head.js';

/*
 * Parking (docs/protocol.md, section 14): `GET /.viaduct/parking` with an upgrade, in TLS for the control connection of
 * a node (`Upgrade: viaduct-park`), in plain text for a connection that it keeps ready (`Upgrade: viaduct-ready`).
 * After the 101 the control connection carries lines:
 *
 *   node  = "ping" LF
 *   relay = "pong" LF / "open" SP token LF / "bye" SP reason LF
 *
 * and a ready connection carries LFs, which mean nothing, until a request comes from the relay.
 */

export const PARKING_PATH = '/.viaduct/parking';

const CONTROL = 'viaduct-park';
const READY = 'viaduct-ready';
const NAME_FIELD = 'Viaduct-Name';
const KEY_FIELD = 'Viaduct-Key';
const PROOF_FIELD = 'Viaduct-Proof';
const TOKEN_FIELD = 'Viaduct-Token';

/** Time limits of parking, in ms. */
export interface ParkingTimes {
  /** A ping from the node, so often. */
  readonly beatMs: number;
  /** The same, and an LF on ready connections, where relays lie between: these end a tunnel that is silent. */
  readonly relayBeatMs: number;
  /** Without a byte from the other end for so long, the control connection is dead. */
  readonly beatLimitMs: number;
  /** How often the node looks whether it still has the address that the connection uses. */
  readonly addressMs: number;
  /** A ready connection that was asked for comes in this time. */
  readonly openMs: number;
}

export const PARKING_TIMES: ParkingTimes = {
  beatMs: 24_000,
  relayBeatMs: 4000,
  beatLimitMs: 29_000,
  addressMs: 2000,
  openMs: 10_000,
};

/** Keep-alive of ready connections, at both ends, in ms: below the time after which NAT forgets a connection. */
export const READY_KEEP_ALIVE_MS = 20_000;

/** What a node proves itself with: its public key (DER of SubjectPublicKeyInfo), and a signature of it. */
export interface KeyProof {
  readonly key: Buffer;
  readonly signature: Buffer;
}

/** A request to park. */
export type ParkingRequest =
  | { readonly kind: 'control'; readonly name: string | undefined; readonly proof: KeyProof }
  | { readonly kind: 'ready'; readonly token: string };

/** @param name canonical; undefined: the node is called by its pin */
export function controlFields(name: string | undefined, { key, signature }: KeyProof): Field[] {
  return [
    ...upgradeTo(CONTROL),
    ...(name === undefined ? [] : [[NAME_FIELD, name] as const]),
    [KEY_FIELD, key.toString('base64')],
    [PROOF_FIELD, signature.toString('base64')],
  ];
}

export function readyFields(token: string): Field[] {
  return [...upgradeTo(READY), [TOKEN_FIELD, token]];
}

/** Of the 101 that accepts a request of this kind. */
export function acceptedFields({ kind }: ParkingRequest): Field[] {
  return [...upgradeTo(kind === 'control' ? CONTROL : READY), ['Viaduct', '1']];
}

/** Whether a 101 accepts a request of this kind. */
export function isAccepted(fields: readonly Field[], kind: ParkingRequest['kind']): boolean {
  return protocolOf(fields) === (kind === 'control' ? CONTROL : READY);
}

/**
 * What a request asks for; undefined if it has nothing to do with parking.
 * @throws ViaductError BAD_REQUEST if one of its fields is malformed
 */
export function parkingRequest(fields: readonly Field[]): ParkingRequest | undefined {
  const protocol = protocolOf(fields);
  if (protocol === READY) return { kind: 'ready', token: oneOf(fields, TOKEN_FIELD) };
  if (protocol !== CONTROL) return undefined;
  const proof = { key: bytesOf(fields, KEY_FIELD), signature: bytesOf(fields, PROOF_FIELD) };
  if (valuesOf(fields, NAME_FIELD.toLowerCase()).length === 0)
    return { kind: 'control', name: undefined, proof };
  const name = parseParkedName(oneOf(fields, NAME_FIELD));
  if (name === undefined) throw malformed(NAME_FIELD);
  return { kind: 'control', name, proof };
}

function upgradeTo(protocol: string): Field[] {
  return [
    ['Connection', 'Upgrade'],
    ['Upgrade', protocol],
  ];
}

function protocolOf(fields: readonly Field[]): string | undefined {
  const isUpgrade = listOf(fields, 'connection').some((option) => option.toLowerCase() === 'upgrade');
  const [protocol, ...more] = listOf(fields, 'upgrade');
  return isUpgrade && more.length === 0 ? protocol?.toLowerCase() : undefined;
}

function oneOf(fields: readonly Field[], name: string): string {
  const [value, ...more] = valuesOf(fields, name.toLowerCase());
  if (value === undefined || more.length > 0) throw malformed(name);
  return value;
}

function bytesOf(fields: readonly Field[], name: string): Buffer {
  const text = oneOf(fields, name);
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length === 0 || bytes.toString('base64') !== text) throw malformed(name);
  return bytes;
}

function malformed(name: string): ViaductError {
  return new ViaductError('BAD_REQUEST', `${name} is missing or malformed`);
}

/** The longest line on a control connection, with its LF. */
const LINE_BYTES = 512;

export const PING = Buffer.from('ping\n');
export const PONG = Buffer.from('pong\n');

export function openLine(token: string): Buffer {
  return Buffer.from(`open ${token}\n`);
}

/** @param reason printable, at most 400 characters of it are sent */
export function byeLine(reason: string): Buffer {
  return Buffer.from(`bye ${reason.replace(/[^\x20-\x7e]/g, '?').slice(0, 400)}\n`);
}

/** Cuts what comes on a control connection into lines. */
export class ControlLines {
  #begun = '';

  /** The lines that end in this chunk, each as its word and the rest. @throws ViaductError BAD_REPLY if one is too long */
  take(chunk: Buffer): { readonly word: string; readonly rest: string }[] {
    const lines = (this.#begun + chunk.toString('latin1')).split('\n');
    this.#begun = lines.pop() ?? '';
    if (this.#begun.length >= LINE_BYTES || lines.some((line) => line.length >= LINE_BYTES))
      throw new ViaductError('BAD_REPLY', 'a line of the control connection is too long');
    return lines.map((line) => {
      const space = line.indexOf(' ');
      return space === -1
        ? { word: line, rest: '' }
        : { word: line.slice(0, space), rest: line.slice(space + 1) };
    });
  }
}

/** What is left of a chunk on a ready connection without the LFs in front. */
export function withoutBeats(chunk: Buffer): Buffer {
  let start = 0;
  while (start < chunk.length && chunk[start] === 0x0a) start += 1;
  return chunk.subarray(start);
}
