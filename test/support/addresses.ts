import type { NetworkView } from '#src/node/access/address.js';

/** A host in two networks, one of them of public addresses, with gateways. */
export const VIEW: NetworkView = {
  own: ['127.0.0.1/8', '::1/128', '192.168.1.7/24', '203.0.113.9/24', 'fe80::7/64', '2a01:4f8::7/64'],
  gateways: ['192.168.1.1', 'fe80::1'],
};

/** Addresses by the class that a host with {@link VIEW} has to see in them. */
export const ADDRESSES = {
  loopback: [
    '127.0.0.1',
    '127.255.255.254',
    '::1',
    '0:0:0:0:0:0:0:1',
    '192.168.1.7',
    '203.0.113.9',
    '2a01:4f8::7',
  ],
  private: [
    '10.0.0.0',
    '10.255.255.255',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.0.1',
    '192.168.1.8',
    '100.64.0.1',
    '100.127.255.255',
    'fc00::1',
    'fdff:ffff::1',
    // Of public ranges, but on the link of an interface.
    '203.0.113.77',
    '2a01:4f8::8',
  ],
  public: [
    '1.1.1.1',
    '8.8.8.8',
    '9.255.255.255',
    '11.0.0.0',
    '172.15.0.1',
    '172.32.0.1',
    '100.63.0.1',
    '100.128.0.1',
    '2606:4700::1111',
    '2a01:4f9::1',
  ],
  never: [
    // Unspecified, this network, broadcast, multicast, reserved, documentation.
    '0.0.0.0',
    '0.1.2.3',
    '::',
    '255.255.255.255',
    '224.0.0.1',
    '239.255.255.255',
    'ff02::1',
    '240.0.0.1',
    '198.51.100.1',
    '2001:db8::1',
    // Link-local and site-local, with and without zone.
    '169.254.1.1',
    'fe80::1',
    'fe80::1%eth0',
    'febf::1',
    'fec0::1',
    // Metadata services.
    '169.254.169.254',
    '100.100.100.200',
    '168.63.129.16',
    'fd00:ec2::254',
    'fd20:ce::254',
    'fd00:c1::a9fe:a9fe',
    // Forms that hide an IPv4 address: mapped, translated, NAT64, 6to4, Teredo, compatible.
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::ffff:8.8.8.8',
    '::ffff:0:127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b::8.8.8.8',
    '64:ff9b:1::7f00:1',
    '2002:7f00:1::',
    '2001:0:4136:e378:8000:63bf:3fff:fdd2',
    '::127.0.0.1',
    // Not in use (RFC 4291): outside of 2000::/3.
    '4000::1',
    'e000::1',
    // No address at all.
    'localhost',
    '127.1',
    '0177.0.0.1',
    '2130706433',
    '0x7f.1',
    '127.0.0.1.',
    '',
  ],
} as const;
