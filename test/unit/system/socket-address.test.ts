import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assert as holds, ipV4, ipV6, nat, property } from 'fast-check';
import { library } from '#src/system/library.js';
import { AddressBuffer } from '#src/system/socket-address.js';

const libc = library();
const skip = 'missing' in libc && libc.missing;

function roundTrip(host: string, port: number): unknown {
  assert.ok(!('missing' in libc));
  const address = new AddressBuffer(libc);
  address.encode({ host, port });
  return address.decode();
}

test('every IPv4 address and port comes back as it was', { skip }, () => {
  holds(
    property(ipV4(), nat(65_535), (host, port) => {
      assert.deepEqual(roundTrip(host, port), { host, port });
    }),
  );
});

test('every IPv6 address comes back as the same one, in its short form', { skip }, () => {
  holds(
    property(ipV6(), nat(65_535), (host, port) => {
      const back = roundTrip(host, port) as { readonly host: string; readonly port: number };
      assert.equal(back.port, port);
      // The URL standard has a short form too, but writes an IPv4 part as the rest.
      assert.equal(new URL(`http://[${back.host}]`).hostname, new URL(`http://[${host}]`).hostname);
    }),
  );
});

test('an address of one link has its zone, whose name the system knows', { skip }, () => {
  assert.ok(!('missing' in libc));
  const address = new AddressBuffer(libc);
  address.encode({ host: 'fe80::1', port: 80 });
  address.bytes.writeUInt32LE(1, 24);
  assert.deepEqual(address.decode(), { host: 'fe80::1%lo', port: 80 });
  address.bytes.writeUInt32LE(4_000_000_000, 24);
  assert.deepEqual(address.decode(), { host: 'fe80::1%4000000000', port: 80 });
});
