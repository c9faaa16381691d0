import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { HostNames, nameOf, parseNameRule } from '#src/node/access/host-names.js';
import { makeIdentity } from '#src/identity/certificate.js';
import { nearlyValid, failsWell } from '../../../support/arbitraries.js';
import { codeOf } from '../../../support/failures.js';

function names(given: readonly string[] = [], host?: string): HostNames {
  return new HostNames({ rules: given.map(parseNameRule), host, machine: () => 'Box.Lab.example' });
}

const OWN = [
  '127.0.0.1',
  '127.0.0.1:12000',
  '192.168.1.7:80',
  '8.8.8.8',
  '[::1]',
  '[::1]:12000',
  '[2001:DB8::7]:1',
  'localhost',
  'LocalHost:12000',
  'localhost.:12000',
  'a.localhost',
  'a.b.localhost:1',
  'box.lab.example',
  'BOX.lab.example.:12000',
  'box',
  'box:12000',
  '~attic',
  '~8mmoTGTOViK8lBm0',
];

const FOREIGN = [
  '',
  ':12000',
  '.',
  'evil.example',
  'evil.example:12000',
  'localhost.evil.example',
  'notlocalhost',
  'localhost..',
  '127.0.0.1.evil.example',
  '127.1',
  '2130706433',
  '0x7f.1',
  '127.0.0.01',
  '[::1',
  '::1',
  '[evil.example]',
  'lab.example',
  'evil.box.lab.example',
  'box.evil.example',
  '~attic.evil.example',
  'a:b:1',
  'a@localhost',
];

/** For nas.example.org and *.wild.example.org; its common name, cn, is no name of a host. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBozCCAUmgAwIBAgIUciARzgz94vmmLz4jv/kuqdwx/P0wCgYIKoZIzj0EAwIw
DTELMAkGA1UEAwwCY24wIBcNMjYxMTI3MTg1MjE4WhgPMjEyNjExMDMxODUyMTha
MA0xCzAJBgNVBAMMAmNuMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEMvrsvVoY
NQv0fW6n1CIwFQeL8OgsWpD/g8jPaeLW5w/JB9CuH5eoMle5LRmH5ZDoixbggJyf
Pnk4p3UxelOfsaOBhDCBgTAdBgNVHQ4EFgQU3Mf3Kkl3ft6LmgdvTjGK/mEaVUYw
HwYDVR0jBBgwFoAU3Mf3Kkl3ft6LmgdvTjGK/mEaVUYwDwYDVR0TAQH/BAUwAwEB
/zAuBgNVHREEJzAlgg9uYXMuZXhhbXBsZS5vcmeCEioud2lsZC5leGFtcGxlLm9y
ZzAKBggqhkjOPQQDAgNIADBFAiBQ9Lwv6vZbmHWW6kTGz+46nKEgnIPMz7hzolZd
u7hZVgIhAM6z/K2c2X//zC9+UixGsR4EGeCaTYmO09bAtnNBjdzz
-----END CERTIFICATE-----`;

describe('without options', () => {
  for (const authority of OWN) {
    test(`"${authority}" is a name of the node`, () => assert.ok(names().allows(authority)));
  }
  for (const authority of FOREIGN) {
    test(`"${authority}" is none`, () => assert.ok(!names().allows(authority)));
  }

  test('the names of the machine are those of the system', () => {
    const machine = new HostNames({ rules: [] });
    const own = hostname().toLowerCase();
    for (const name of [own, own.split('.', 1)[0]]) assert.ok(machine.allows(`${name}:12000`), name);
  });
});

describe('the certificate of the node', () => {
  test('has names that are its own: of no other', () => {
    const certified = names();
    certified.useCertificate(CERTIFICATE);
    const asked = [
      'nas.example.org:1',
      'a.wild.example.org',
      'wild.example.org',
      'a.b.wild.example.org',
      'cn',
    ];
    assert.deepEqual(
      asked.map((name) => certified.allows(name)),
      [true, true, false, false, false],
    );
  });

  test('has none if viaduct made it', () => {
    const certified = names();
    certified.useCertificate(makeIdentity().cert);
    assert.ok(!certified.allows('viaduct'));
  });
});

describe('--host-name and --host', () => {
  for (const [given, allowed, refused] of [
    [['nas.example.org'], ['nas.example.org', 'NAS.example.org.:1'], ['example.org', 'a.nas.example.org']],
    [['NAS.Example.org.'], ['nas.example.org'], ['nas.example']],
    [['*.example.org'], ['a.example.org', 'a.b.example.org:1'], ['example.org', 'aexample.org']],
    [
      ['a', 'b'],
      ['a', 'b:1'],
      ['c', 'ab'],
    ],
    [['*'], ['evil.example', 'example:1'], ['', 'a:b:1']],
  ] as const) {
    test(`${given.join()} allows ${allowed.join()}, not ${refused.join()}`, () => {
      for (const name of allowed) assert.ok(names(given).allows(name), name);
      for (const name of refused) assert.ok(!names(given).allows(name), name);
    });
  }

  test('the name that --host has is allowed', () => {
    assert.ok(names([], 'Nas.example.org').allows('nas.example.org:12000'));
    assert.ok(!names([], '10.0.0.1').allows('nas.example.org:12000'));
  });

  for (const text of ['', 'a b', '*a', 'a.*', '*.*', '*.', 'nas.example.org:12000', 'http://nas', '..'])
    test(`"${text}" is no name`, () =>
      assert.equal(
        codeOf(() => parseNameRule(text)),
        'USAGE',
      ));

  test('any other text is refused with a reason', () => {
    fc.assert(fc.property(nearlyValid, (text) => failsWell(() => parseNameRule(text))));
  });
});

test('a name has one form, and a port is none of it', () => {
  assert.equal(nameOf('A.Example.:80'), 'a.example');
  assert.equal(nameOf('[::1]:80'), '[::1]');
  assert.equal(nameOf('a:b:80'), undefined);
});
