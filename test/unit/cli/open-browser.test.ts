import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasDisplay } from '#src/cli/open/browser.js';

test('where a browser can be seen', () => {
  const cases: [NodeJS.Platform, NodeJS.ProcessEnv, boolean][] = [
    ['linux', {}, false],
    ['linux', { DISPLAY: ':0' }, true],
    ['linux', { DISPLAY: '' }, false],
    ['linux', { WAYLAND_DISPLAY: 'wayland-0' }, true],
    ['linux', { WSL_DISTRO_NAME: 'Debian' }, true],
    ['darwin', {}, true],
    ['darwin', { SSH_CONNECTION: '192.0.2.1 1 192.0.2.2 22' }, false],
    ['win32', {}, true],
  ];
  for (const [platform, env, expected] of cases)
    assert.equal(hasDisplay(platform, env), expected, `${platform} ${JSON.stringify(env)}`);
});
