import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Child, NodeProcess, PROGRAM, startClient } from '../support/processes.js';
import { formatHop } from 'viaduct';
import { exchange, rawServer } from '../support/raw.js';
import { randomFile, tempFolder } from '../support/temp.js';
import { onTerminal } from './terminal.js';

test('SIGHUP, SIGUSR1 and SIGUSR2 neither end a node without a terminal nor open a debugger', async (t) => {
  const root = tempFolder(t);
  const bytes = randomFile(root, 'file', 1000);
  const node = await NodeProcess.start(t, { root });
  for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) {
    node.process.kill(signal);
    await node.until(({ log }) =>
      log.some((line) => line.msg === 'signal ignored' && line['signal'] === signal),
    );
    assert.deepEqual((await exchange(t, node.hop, 'file\n\n')).bytes, bytes);
  }
  assert.doesNotMatch(node.stderr, /debugger/i);
  node.process.kill('SIGTERM');
  assert.equal(await node.ended, 0);
});

for (const signals of [['SIGTERM'], ['SIGTERM', 'SIGINT']] as const) {
  test(`a node with a thread that is blocked for ever ends by ${signals.join(' and ')}`, async (t) => {
    const fifo = join(tempFolder(t), 'fifo');
    execFileSync('mkfifo', [fifo]);
    // As a file system that hangs does: it opens when there is a writer.
    const block = `import { open } from 'node:fs'; if (process.argv.includes('server')) open(${JSON.stringify(fifo)}, 'r', () => {});`;
    const node = await NodeProcess.start(t, {
      nodeArgs: ['--import', `data:text/javascript,${encodeURIComponent(block)}`],
    });
    for (const signal of signals) {
      node.process.kill(signal);
      await node.until(({ log }) => log.some(({ msg }) => msg === 'stopping'));
    }
    // While the process exits, Node no longer handles signals: the second one may end it then.
    const [, second] = signals;
    const ended = await node.ended;
    assert.ok(ended === 'SIGKILL' || ended === second, String(ended));
  });
}

test('SIGHUP stops a node on a terminal, which closes', async (t) => {
  const driver = onTerminal(t, ['server', '0', '--root', tempFolder(t)]);
  await driver.until(({ stdout }) => stdout.includes('listening'));
  const pid = Number(readFileSync(`/proc/${driver.pid}/task/${driver.pid}/children`, 'utf8').trim());
  process.kill(pid, 'SIGHUP');
  assert.equal(await driver.ended, 0);
  assert.match(driver.stdout, /stopping/);
});

for (const command of ['get', 'client'] as const) {
  test(`SIGUSR1 and SIGUSR2 neither end \`${command}\` nor open a debugger`, async (t) => {
    const { hop, server } = await rawServer(t, () => {});
    const folder = tempFolder(t);
    const client =
      command === 'client'
        ? startClient(t, folder, { name: 'file', route: [hop] })
        : new Child(t, process.execPath, [PROGRAM, 'get', `${formatHop(hop)}/file`], { cwd: folder });
    const [socket] = (await once(server, 'connection')) as [Socket];
    await once(socket, 'data');
    client.process.kill('SIGUSR1');
    client.process.kill('SIGUSR2');
    client.process.kill('SIGTERM');
    assert.equal(await client.ended, 143);
    assert.doesNotMatch(client.stderr, /debugger/i);
    assert.match(client.stderr, /interrupted by SIGTERM/);
  });
}
