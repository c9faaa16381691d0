import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Child, NodeProcess, PROGRAM } from '../support/processes.js';
import { exchange } from '../support/raw.js';
import { randomFile, tempFolder } from '../support/temp.js';
import { listeningHop } from './listening.js';

/** Shown as eight characters each, so that a line of the log about it is long. */
const LONG_NAME = '\u202e'.repeat(200);
/** Their lines take far more room than a pipe and the node's own queue have. */
const REQUESTS = 1500;
const AT_ONCE = 20;

for (const format of ['json', 'pretty'] as const) {
  for (const [what, redirection] of [
    ['the log', '2>/dev/full'],
    ['the log and standard output', '>/dev/full 2>&1'],
  ] as const) {
    test(`a full disk under ${what} (${format}) does not stop the node or its service`, async (t) => {
      const root = tempFolder(t);
      const bytes = randomFile(root, 'file', 1000);
      const server = ['server', '0', '--log-format', format, '--log-level', 'debug'];
      const command = ['-c', `exec "$0" "$@" ${redirection}`, process.execPath, PROGRAM, ...server];
      const node = new Child(t, 'sh', command, { cwd: root });
      const hop = await listeningHop(node);
      for (let round = 0; round < 3; round += 1) {
        assert.equal((await exchange(t, hop, 'absent\n\n')).how, 'reset');
        assert.deepEqual(await exchange(t, hop, 'file\n\n'), { bytes, how: 'end' });
      }
      node.process.kill('SIGTERM');
      assert.equal(await node.ended, 0);
    });
  }
}

/** How many requests for {@link LONG_NAME} the lines of a node account for, printed or counted as dropped. */
const accounts = {
  stdout: ({ lines }: NodeProcess) => {
    const dropped = lines.map((line) =>
      Number(/^(\d+) lines dropped: the output was not read$/.exec(line)?.[1] ?? 0),
    );
    // Three lines for each: its thread, its role and its end. The first line of all is of the node itself.
    const printed = lines.length - 1 - dropped.filter((count) => count > 0).length;
    return { dropped: sum(dropped), requests: (printed + sum(dropped)) / 3 };
  },
  stderr: ({ log }: NodeProcess) => {
    const dropped = log.map(({ msg, count }) => (msg.startsWith('log lines dropped') ? Number(count) : 0));
    const printed = log.filter(({ code }) => code === 'NOT_FOUND').length;
    return { dropped: sum(dropped), requests: printed + sum(dropped) };
  },
};

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

async function fail(t: TestContext, node: NodeProcess): Promise<void> {
  assert.equal((await exchange(t, node.hop, `${LONG_NAME}\n\n`)).how, 'reset');
}

test('a node whose output is not read continues, and later prints the number of dropped lines', async (t) => {
  const root = tempFolder(t);
  const bytes = randomFile(root, 'file', 1000);
  const node = await NodeProcess.start(t, { root });
  await node.until(({ lines }) => lines.length === 1);
  const pipes = [node.process.stdout, node.process.stderr];
  for (const pipe of pipes) pipe?.pause();

  let sent = 0;
  const worker = async (): Promise<void> => {
    while (sent < REQUESTS) {
      sent += 1;
      await fail(t, node);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));

  for (const pipe of pipes) pipe?.resume();
  for (const account of Object.values(accounts)) {
    await node.until((heard) => account(heard).requests === REQUESTS);
    assert.ok(account(node).dropped > 0);
  }
  assert.deepEqual(await exchange(t, node.hop, 'file\n\n'), { bytes, how: 'end' });
});

for (const format of ['json', 'pretty'] as const) {
  test(`no line (${format}) has a control character of a name`, async (t) => {
    const args = ['server', '0', '--log-format', format, '--log-level', 'debug'];
    const node = new Child(t, process.execPath, [PROGRAM, ...args], { cwd: tempFolder(t) });
    const hop = await listeningHop(node);
    const evil = 'x\u001b[2J\u009b2J\u0085\u007f\u061c\u200e\u202e\u2066\u2028\u2029\ufeff\ry';
    // Too long for the system, and below a file: each failure has a cause of its own.
    for (const name of [evil, evil.repeat(20), `${evil}/${evil}`, `../${evil}`, `.${evil}`]) {
      assert.equal((await exchange(t, hop, `${name}\n\n`)).how, 'reset');
    }
    node.process.kill('SIGTERM');
    assert.equal(await node.ended, 0);
    for (const text of [node.stdout, node.stderr]) {
      assert.match(text, /x\\{1,2}x1b\[2J\\{1,2}x9b2J/);
      assert.doesNotMatch(
        text,
        /[^\P{Cc}\n]|[\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u,
      );
    }
  });
}
