import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatHop } from 'viaduct';
import { refusingHop } from '../support/black-hole.js';
import { NodeProcess } from '../support/processes.js';
import { runInProcess } from '../support/program.js';
import { assertOneLine } from './assertions.js';

const COMMANDS = ['get', 'ls', 'trace', 'client'] as const;

describe('--proxy', () => {
  for (const command of [...COMMANDS, 'server'])
    for (const [url, says] of [
      ['', /"" is not the URL of a proxy/],
      ['https://anna:sesame@p:1', /"https:\/\/…@p:1" is not the URL of a proxy: .* TLS/],
      ['anna:ses/ame@p:99999', /"…@p:99999" is not the URL of a proxy: its port/],
    ] as const)
      test(`${command}: "${url}" is wrong usage, and its password is not shown`, async () => {
        const run = await runInProcess([command, '--proxy', url, 'h1:1']);
        assertOneLine(run, 2, says);
        assert.doesNotMatch(run.stderr, /anna|ses|ame@/);
      });
});

describe('a wrong variable', () => {
  for (const command of COMMANDS)
    test(`is named by ${command}, without its password`, async (t) => {
      process.env['all_proxy'] = 'socks4://anna:sesame@p:1';
      t.after(() => delete process.env['all_proxy']);
      const where = command === 'client' ? '-' : 'h1:1/x';
      const run = await runInProcess([command, where], { input: 'x\nh1 1\n' });
      assertOneLine(run, 2, /the variable all_proxy: "socks4:\/\/…@p:1" is not the URL of a proxy: SOCKS 4/);
    });

  test('is an event of get --json', async (t) => {
    process.env['ALL_PROXY'] = 'http://anna:sesame@';
    t.after(() => delete process.env['ALL_PROXY']);
    const { code, stdout } = await runInProcess(['get', '--json', 'h1:1/x']);
    const { event, code: name, message } = JSON.parse(stdout) as Record<string, string>;
    assert.deepEqual([code, event, name], [2, 'error', 'USAGE']);
    assert.match(message ?? '', /^the variable ALL_PROXY: /);
    assert.doesNotMatch(stdout, /sesame/);
  });
});

test('trace shows that the proxy is down at the first hop', async (t) => {
  const proxy = formatHop(await refusingHop(t));
  const run = await runInProcess(['trace', '--plain', '--proxy', `anna:sesame@${proxy}`, 'h1:1/@h2:2/']);
  assert.equal(run.code, 97);
  assert.match(run.stdout, /1 {2}h1:1 .* down\n.*2 {2}h2:2 .* not reached/);
  assert.equal(
    run.stderr,
    `viaduct: hop 1 (h1:1): the proxy http://${proxy} refused the connection (check --proxy, HTTPS_PROXY and ALL_PROXY; --proxy none connects without a proxy)\n`,
  );
});

test('a node logs its proxy without user and password', async (t) => {
  const node = await NodeProcess.start(t, { args: ['--proxy', 'socks5h://anna:sesame@p:1'] });
  assert.equal(node.log.find(({ msg }) => msg === 'listening')?.['proxy'], 'socks5h://p:1');
  assert.doesNotMatch(node.stderr, /anna|sesame/);
});
