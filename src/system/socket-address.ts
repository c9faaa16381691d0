import { isIPv4 } from 'node:net';
import type { Library } from './library.js';

/** An address of a TCP socket: of IPv6 without zone, unless it is of one link. */
export interface SocketAddress {
  readonly host: string;
  readonly port: number;
}

/** bits/socket.h. */
const AF_INET = 2;
const AF_INET6 = 10;
/** struct sockaddr_in and sockaddr_in6 of ip(7) and ipv6(7): their sizes, and where the address and the zone stand. */
const INET_BYTES = 16;
const INET6_BYTES = 28;
const INET_AT = 4;
const INET6_AT = 8;
const ZONE_AT = 24;
/** netinet/in.h and net/if.h: the longest text of an address, and of an interface. */
const INET6_ADDRSTRLEN = 46;
const IF_NAMESIZE = 16;

/** Memory for one address in the kernel's form, used again and again. */
export class AddressBuffer {
  readonly bytes = Buffer.alloc(INET6_BYTES);
  /** Its size, as the kernel reads and sets it. */
  readonly length = new Int32Array(1);
  readonly #text = Buffer.alloc(INET6_ADDRSTRLEN);
  readonly #name = Buffer.alloc(IF_NAMESIZE);
  readonly #toText: (family: number, address: Buffer, text: Buffer, length: number) => number;
  readonly #fromText: (family: number, text: string, address: Buffer) => number;
  readonly #zoneName: (index: number, name: Buffer) => number;

  constructor(libc: Library) {
    this.#toText = libc.func(
      'uintptr_t inet_ntop(int family, const void *address, void *text, uint32_t length)',
    );
    this.#fromText = libc.func('int inet_pton(int family, const char *text, void *address)');
    this.#zoneName = libc.func('uintptr_t if_indextoname(unsigned int index, void *name)');
  }

  /** Before the kernel writes into it. */
  reset(): void {
    this.length[0] = INET6_BYTES;
  }

  get family(): number {
    return this.bytes.readUInt16LE(0);
  }

  /** @param address of IPv6 without a zone @returns its size */
  encode({ host, port }: SocketAddress): number {
    const { bytes } = this;
    const isShort = isIPv4(host);
    bytes.fill(0);
    bytes.writeUInt16LE(isShort ? AF_INET : AF_INET6, 0);
    bytes.writeUInt16BE(port, 2);
    if (isShort) host.split('.').forEach((part, index) => (bytes[INET_AT + index] = Number(part)));
    else this.#fromText(AF_INET6, host, bytes.subarray(INET6_AT));
    return isShort ? INET_BYTES : INET6_BYTES;
  }

  decode(): SocketAddress {
    const { bytes } = this;
    const port = bytes.readUInt16BE(2);
    if (this.family === AF_INET) {
      const at = INET_AT;
      return { host: `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`, port };
    }
    this.#toText(AF_INET6, bytes.subarray(INET6_AT), this.#text, INET6_ADDRSTRLEN);
    const zone = bytes.readUInt32LE(ZONE_AT);
    const host = textOf(this.#text);
    return { host: zone === 0 ? host : `${host}%${this.#nameOf(zone)}`, port };
  }

  #nameOf(zone: number): string {
    return this.#zoneName(zone, this.#name) === 0 ? String(zone) : textOf(this.#name);
  }
}

/** A string of C. */
function textOf(bytes: Buffer): string {
  return bytes.toString('latin1', 0, bytes.indexOf(0));
}
