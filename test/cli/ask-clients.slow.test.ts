import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatHop } from 'viaduct';
import { loadIdentity } from '#src/identity/identity.js';
import { runPeer } from '../support/http-chain.js';
import { havePeer } from '../support/peers.js';
import { NodeProcess, runViaduct } from '../support/processes.js';
import { tempFolder } from '../support/temp.js';

for (const [what, args] of [
  ['a node that asks', ['--ask-clients']],
  ['a node that does not ask', []],
] as const) {
  test(`the identity of a client reaches ${what}: through a relay, and never the relay`, async (t) => {
    const [root, state, own, cwd] = [tempFolder(t), tempFolder(t), tempFolder(t), tempFolder(t)];
    writeFileSync(join(root, 'a.txt'), 'hi\n');
    const relay = await NodeProcess.start(t, { root, args: ['--state', tempFolder(t), '--ask-clients'] });
    const origin = await NodeProcess.start(t, { root, args: ['--state', own, ...args] });
    const where = `${formatHop(relay.hop)}/@${formatHop(origin.hop)}/a.txt`;
    const { pin } = await loadIdentity(own, 'node');
    const run = await runViaduct(t, ['get', where, '-q', '--state', state, '--pin', pin], { cwd });
    assert.equal(run.code, 0, run.stderr);
    const client = await loadIdentity(state, 'client');
    const line = await origin.until(({ log }) =>
      log.find(({ msg, name }) => msg === 'completed' && name === 'a.txt'),
    );
    assert.equal(line['clientPin'], args.length > 0 ? client.pin : undefined);
    assert.ok(!relay.stderr.includes(client.pin));
  });
}

test('a client without an identity is served all the same, and its log lines have no pin', async (t) => {
  if (!havePeer(t, 'curl')) return;
  const root = tempFolder(t);
  writeFileSync(join(root, 'a.txt'), 'hi\n');
  const node = await NodeProcess.start(t, { root, args: ['--state', tempFolder(t), '--ask-clients'] });
  const run = await runPeer(t, tempFolder(t), 'curl', ['-sk', `https://${formatHop(node.hop)}/a.txt`]);
  assert.equal(run.stdout, 'hi\n');
  assert.ok(!node.stderr.includes('clientPin'));
});
