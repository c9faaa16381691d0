import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { formatHop } from 'viaduct';
import { loadIdentity } from '#src/identity/identity.js';
import { havePeer } from '../support/peers.js';
import { NodeProcess, runViaduct } from '../support/processes.js';
import { tempFolder } from '../support/temp.js';
import { onTerminal } from './terminal.js';

/* Several transfers on a terminal, with questions about keys. */

/** A node with an identity of its own, which serves `name`. */
async function host(t: TestContext, name: string) {
  const [root, state] = [tempFolder(t), tempFolder(t)];
  writeFileSync(join(root, name), 'content\n');
  const { hop, pid } = await NodeProcess.start(t, { root, args: ['--state', state] });
  const identity = await loadIdentity(state, 'node');
  return { where: `${formatHop(hop)}/${name}`, name: formatHop(hop), pid, ...identity };
}

const PROMPT = 'Trust this key and save it to ';
/** Questions so far. */
const prompts = (text: string): number => text.split('(yes/no/pin)? ').length - 1;
const shown = (output: string): string => stripVTControlCharacters(output).replaceAll('\r', '');

test('nothing is printed while a question is open, and its time is none of the transfer', async (t) => {
  if (!havePeer(t, 'python3')) return;
  const [unknown, known] = [await host(t, 'unknown'), await host(t, 'known')];
  const [state, folder] = [tempFolder(t), tempFolder(t)];
  await runViaduct(t, ['known', 'add', '--state', state, known.name, known.pin]);
  const args = ['get', unknown.where, known.where, '-v', '-o', `${folder}/`, '--state', state];
  // Not before the question; then its lines have to wait.
  process.kill(known.pid, 'SIGSTOP');
  const child = onTerminal(t, args, { cwd: folder });
  await child.until(({ stdout }) => stdout.includes('(yes/no/pin)? '));
  process.kill(known.pid, 'SIGCONT');
  await delay(2000);
  assert.ok(shown(child.stdout).endsWith('(yes/no/pin)? '), child.stdout);
  child.process.stdin?.write('yes\n');
  assert.equal(await child.ended, 0, child.stdout);
  const lines = shown(child.stdout).split('\n');
  const asked = lines.findIndex((line) => line.startsWith(PROMPT));
  assert.ok(asked !== -1);
  for (const name of ['known', 'unknown']) {
    const at = lines.findIndex((line) => line.includes(`/${name}  8 B  `));
    const [, seconds] = / {2}(\d+\.\d\d) s {2}.* {2}verified$/.exec(lines[at] ?? '') ?? [];
    assert.ok(at > asked, child.stdout);
    // The other one waited for its node, too.
    if (name === 'unknown') assert.ok(Number(seconds) < 1.5, child.stdout);
  }
});

test('with two unknown hosts, no line is between a question and its answer', async (t) => {
  if (!havePeer(t, 'python3')) return;
  const hosts = [await host(t, 'one'), await host(t, 'two')];
  const [state, folder] = [tempFolder(t), tempFolder(t)];
  const args = ['get', ...hosts.map(({ where }) => where), '-o', `${folder}/`, '--state', state];
  const child = onTerminal(t, args, { cwd: folder });
  await child.until(({ stdout }) => prompts(stdout) === 1);
  child.process.stdin?.write('no\n');
  await child.until(({ stdout }) => prompts(stdout) === 2);
  await delay(300);
  assert.ok(shown(child.stdout).endsWith('(yes/no/pin)? '), child.stdout);
  child.process.stdin?.write('no\n');
  assert.equal(await child.ended, 60, child.stdout);
  const answers = shown(child.stdout).match(/\(yes\/no\/pin\)\? .*/g);
  assert.deepEqual(answers, ['(yes/no/pin)? no', '(yes/no/pin)? no']);
  assert.equal(
    shown(child.stdout).match(/^viaduct: .*presented a key that you did not accept$/gm)?.length,
    2,
  );
});
