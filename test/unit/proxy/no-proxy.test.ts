import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { isDirect } from '#src/proxy/no-proxy.js';
import { nearlyValid } from '../../support/arbitraries.js';

/** curl 7.88.1 was asked all of them; those at the end are read otherwise there. */
const CASES: readonly (readonly [list: string, host: string, direct: boolean])[] = [
  ['', 'h1', false],
  ['*', 'h1', true],
  ['*', '10.0.0.1', true],
  ['*', '::1', true],
  ['*,x', 'h1', false],
  ['*.example', 'a.example', false],
  ['h1', 'h1', true],
  ['H1', 'h1', true],
  ['h1', 'H1', true],
  ['h1', 'h12', false],
  ['lab.example', 'lab.example', true],
  ['lab.example', 'a.lab.example', true],
  ['lab.example', 'a.b.lab.example', true],
  ['lab.example', 'mylab.example', false],
  ['.lab.example', 'lab.example', true],
  ['.lab.example', 'a.lab.example', true],
  ['.lab.example', 'mylab.example', false],
  ['lab.example.', 'a.lab.example', true],
  ['lab.example', 'a.lab.example.', true],
  ['a.lab.example', 'lab.example', false],
  ['example', 'lab.example', true],
  ['x,h1', 'h1', true],
  ['x, h1', 'h1', true],
  ['x ,\th1 ', 'h1', true],
  ['x h1', 'h1', true],
  ['x y,h1', 'h1', true],
  [',,h1,', 'h1', true],
  ['h1:12000', 'h1', false],
  ['.', 'h1', false],
  ['localhost', '127.0.0.1', false],
  ['127.0.0.1', 'localhost', false],
  ['127.0.0.1', '127.0.0.1', true],
  ['10.0.0.1', '10.0.0.10', false],
  ['0.0.1', '10.0.0.1', false],
  ['10.0.0.0/8', '10.1.2.3', true],
  ['10.0.0.0/8', '11.1.2.3', false],
  ['10.1.2.3/8', '10.9.9.9', true],
  ['192.168.0.0/20', '192.168.15.255', true],
  ['192.168.0.0/20', '192.168.16.0', false],
  ['10.0.0.0/33', '10.0.0.0', false],
  ['10.0.0.0/8', 'h10.0.0.1.example', false],
  ['10.0.0.0/8', '::ffff:10.0.0.1', false],
  ['::1', '::1', true],
  ['2001:db8::/32', '2001:db9::5', false],
  ['2001:db8::/33', '2001:db8:8000::1', false],
  ['::/0', '10.0.0.1', false],
  // Later versions of curl compare IPv6 addresses as addresses.
  ['0:0::1', '::1', true],
  ['[::1]', '::1', true],
  ['2001:db8::/32', '2001:db8:1::5', true],
  ['[2001:db8::]/32', '2001:db8:1::5', true],
  // curl reads no number as 0, and 0 as a whole address; its documentation does not.
  ['10.0.0.0/x', '10.0.0.0', false],
  ['0.0.0.0/0', '10.0.0.1', true],
];

describe('NO_PROXY', () => {
  for (const [list, host, direct] of CASES) {
    test(`"${list}": ${host} is dialled ${direct ? 'directly' : 'over the proxy'}`, () => {
      assert.equal(isDirect(host, list), direct);
    });
  }

  test('any text is a list', () => {
    fc.assert(
      fc.property(nearlyValid, fc.constantFrom('h1', '10.0.0.1', '::1'), (list, host) => {
        isDirect(host, list);
      }),
    );
  });
});
