import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { proxyFromEnvironment } from 'viaduct';
import { proxyFrom } from '#src/cli/proxy.js';
import { formatProxy, parseProxy } from '#src/proxy/config.js';
import { thrownBy } from '../../support/failures.js';

const [ONE, TWO, THREE, FOUR] = ['http://one:1', 'http://two:2', 'http://three:3', 'socks5h://four:4'];

function chosen(env: NodeJS.ProcessEnv): string | undefined {
  const proxy = proxyFromEnvironment(env);
  return proxy && formatProxy(proxy);
}

describe('the environment, as curl reads it for https://', () => {
  const all = { https_proxy: ONE, HTTPS_PROXY: TWO, all_proxy: THREE, ALL_PROXY: FOUR };
  for (const [what, env, proxy] of [
    ['nothing', {}, undefined],
    ['lower case comes first', all, ONE],
    ['then upper case', { ...all, https_proxy: undefined }, TWO],
    ['then all_proxy', { ...all, https_proxy: undefined, HTTPS_PROXY: undefined }, THREE],
    ['then ALL_PROXY', { ALL_PROXY: FOUR }, FOUR],
    ['an empty value is none', { ...all, https_proxy: '', HTTPS_PROXY: '' }, THREE],
    ['HTTP_PROXY is not read', { HTTP_PROXY: ONE, http_proxy: ONE }, undefined],
    ['no scheme is http', { ALL_PROXY: 'four:4' }, 'http://four:4'],
  ] as const) {
    test(what, () => assert.equal(chosen(env), proxy));
  }

  for (const [what, env, list] of [
    ['no_proxy comes first', { no_proxy: 'a', NO_PROXY: 'b' }, 'a'],
    ['then NO_PROXY', { no_proxy: '', NO_PROXY: 'b' }, 'b'],
    ['none', {}, undefined],
  ] as const) {
    test(what, () => assert.equal(proxyFromEnvironment({ ...env, ALL_PROXY: ONE })?.noProxy, list));
  }

  test('a bad value names its variable, and not the password', () => {
    const error = thrownBy(() => proxyFromEnvironment({ all_proxy: 'ftp://user:secret@h:1' }));
    assert.equal(error?.code, 'USAGE');
    assert.match(
      error?.message ?? '',
      /^the variable all_proxy: "ftp:\/\/…@h:1" is not the URL of a proxy: /,
    );
  });
});

describe('--proxy', () => {
  const env = { ALL_PROXY: ONE, NO_PROXY: 'h1' };

  test('comes before the environment, and NO_PROXY counts for it too', () => {
    const proxy = proxyFrom({ proxy: parseProxy(TWO) }, env);
    assert.deepEqual(proxy, { ...parseProxy(TWO), noProxy: 'h1' });
  });

  test('none is no proxy, even if the variable is wrong', () => {
    assert.equal(proxyFrom({ proxy: 'none' }, { ALL_PROXY: 'x://' }), undefined);
  });

  test('without it the environment counts', () => {
    assert.deepEqual(proxyFrom({}, env), { ...parseProxy(ONE), noProxy: 'h1' });
  });
});
