import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type TestContext, describe, test } from 'node:test';
import { formatHop } from 'viaduct';
import { requestOf } from '../support/http.js';
import { SCRIPTS, maliciousHop } from '../support/malicious-hop.js';
import { testNode } from '../support/nodes.js';
import { Child, NodeProcess, PROGRAM } from '../support/processes.js';
import { exchange, rawConnect } from '../support/raw.js';
import { randomFile, tempFolder } from '../support/temp.js';
import { ENCRYPTED, PLAIN } from '../support/wires.js';

/** A command ends within this after a signal, in every state. */
const END_MS = 1000;
/** By then a command is in the middle of what a hop sends. */
const STATE_MS = 1200;

/** `where` is over a wire, and `args` are for it. */
type ArgsOf = (where: string, args: readonly string[]) => readonly string[];

const COMMANDS: Readonly<Record<string, ArgsOf>> = {
  get: (where, args) => ['get', ...args, where, '-o', 'saved'],
  'get -r': (where, args) => ['get', ...args, '-r', `${where}/`, '-o', 'saved'],
  ls: (where, args) => ['ls', ...args, `${where}/`],
  trace: (where, args) => ['trace', ...args, where.replace(/\/.*/, '')],
};

/** What the hop sends is the reply, or what is in TLS, or comes in place of TLS. */
const ROLES = [
  { role: 'plain', wire: PLAIN, hasFront: false },
  { role: 'in TLS', wire: ENCRYPTED, hasFront: true },
  { role: 'in place of TLS', wire: ENCRYPTED, hasFront: false },
];

function started(t: TestContext, args: readonly string[], folder: string): Child {
  const child = new Child(t, process.execPath, [PROGRAM, ...args], { cwd: folder });
  child.process.stdin?.end();
  return child;
}

async function endsInTime(child: Child, name: string): Promise<void> {
  // In the middle of whatever the hop sends; a command that has ended by then has seen through it.
  const ended = await Promise.race([child.ended.then(() => true), delay(STATE_MS, false)]);
  if (ended) {
    // A hop that answers at all is up to trace.
    if (name !== 'trace') assert.notEqual(await child.ended, 0, child.stdout);
    assert.doesNotMatch(child.stderr, /\n\s+at /, 'a stack trace');
    return;
  }
  const stoppedAt = performance.now();
  child.process.kill('SIGTERM');
  await child.ended;
  assert.ok(performance.now() - stoppedAt < END_MS, `${name} went on`);
}

describe('SIGTERM ends every command within a second, whatever a hop sends', () => {
  for (const [what, script] of Object.entries(SCRIPTS)) {
    for (const pace of ['fast', 'slow'] as const) {
      for (const { role, wire, hasFront } of ROLES) {
        test(`${what}, ${pace}, ${role}`, async (t) => {
          const folder = tempFolder(t);
          const malicious = await maliciousHop(t, script, pace);
          const hop = hasFront ? await wire.front(t, malicious) : malicious;
          await Promise.all(
            Object.entries(COMMANDS).map(([name, argsOf]) =>
              endsInTime(started(t, argsOf(`${formatHop(hop)}/file`, wire.args), folder), name),
            ),
          );
        });
      }

      test(`${what}, ${pace}, classic`, async (t) => {
        const folder = tempFolder(t);
        const hop = await maliciousHop(t, script, pace);
        writeFileSync(`${folder}/input.txt`, `file\n${hop.host} ${hop.port}\n`);
        await endsInTime(started(t, ['client', 'input.txt'], folder), 'client');
      });
    }
  }
});

test('a relay to malicious hops serves others meanwhile, and stops within a second', async (t) => {
  const root = tempFolder(t);
  const file = randomFile(root, 'file', 100_000);
  const node = await NodeProcess.start(t, { root });
  for (const script of Object.values(SCRIPTS)) {
    for (const pace of ['fast', 'slow'] as const) {
      const hop = await maliciousHop(t, script, pace);
      const client = await rawConnect(t, node.hop);
      client.resume();
      client.write(requestOf([node.hop, hop], '/file'));
    }
  }
  for (let round = 0; round < 5; round += 1) {
    const { bytes, how } = await exchange(t, node.hop, requestOf([node.hop], '/file'));
    assert.equal(how, 'end');
    assert.ok(bytes.subarray(-file.length).equals(file));
  }
  const stoppedAt = performance.now();
  node.process.kill('SIGTERM');
  node.process.kill('SIGINT');
  await node.ended;
  assert.ok(performance.now() - stoppedAt < END_MS, 'the node went on');
});

test('a relay sees through what can be seen: nothing endless in a head', async (t) => {
  const relay = await testNode(t);
  for (const what of ['interim replies', 'a head', 'blanks in a field', 'a status line', 'classic bytes']) {
    const script = SCRIPTS[what];
    assert.ok(script);
    const hop = await maliciousHop(t, script, 'fast');
    const { bytes } = await exchange(t, relay.hop, requestOf([relay.hop, hop], '/file'));
    assert.match(bytes.toString('latin1'), /HTTP\/1\.1 502 Bad Gateway\r\n/, what);
  }
});
