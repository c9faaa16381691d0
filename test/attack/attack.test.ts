import assert from 'node:assert/strict';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { Child, NodeProcess } from '../support/processes.js';
import { randomFile, sparseFile, tempFolder } from '../support/temp.js';

/*
 * A node, an honest client and an attacker, each in a process of its own. The attacker has the lowest priority: over a
 * network it would not use the node's processor. What is measured is what the node lets it do to others.
 */

const isFull = process.argv.includes('full') || process.env['ATTACK'] === 'full';
/** Fetches of the honest client without the attack, and during it. */
const ROUNDS = isFull ? 200 : 40;
const HUGE_FOLDER = isFull ? 200_000 : 50_000;
/** An honest fetch may take so many times as long as without the attack. */
const SLOWDOWN = 10;
/** Memory is back within this, up to what a node keeps for its heap. */
const RECOVERY_MS = 60_000;
const KEPT_BYTES = 96 * 1024 * 1024;

const ATTACKS = [
  'interim replies',
  'an endless head of a reply',
  'blanks in fields',
  'many fields',
  'requests sent ahead',
  'HEAD of a huge folder',
  'listings that nobody reads',
  'pages of a huge folder, sorted and filtered',
  'digests that nobody waits for',
  'idle connections',
  'slow heads',
  'readers that read nothing',
  'requests that leave',
];

const programAt = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

function makeRoot(t: TestContext): string {
  const root = tempFolder(t);
  randomFile(root, 'file', 1024 * 1024);
  sparseFile(root, 'large', 2 ** 30);
  for (let index = 0; index < 7; index += 1) sparseFile(root, `sparse-${index}`, 2 ** 40);
  mkdirSync(join(root, 'huge'));
  for (let index = 0; index < HUGE_FOLDER; index += 1)
    closeSync(openSync(join(root, 'huge', `file ${index}`), 'w'));
  return root;
}

/** The 99th percentile of honest fetches, in ms. None of them may fail. */
async function honestFetches(t: TestContext, node: NodeProcess, when: string): Promise<number> {
  const client = new Child(t, process.execPath, [
    programAt('honest.js'),
    String(node.hop.port),
    String(ROUNDS),
  ]);
  assert.equal(await client.ended, 0, client.stderr);
  const times = JSON.parse(client.stdout) as readonly (number | null)[];
  const whole = times.filter((time) => time !== null).toSorted((a, b) => a - b);
  assert.equal(whole.length, ROUNDS, `${ROUNDS - whole.length} of ${ROUNDS} fetches failed ${when}`);
  return whole[Math.floor(0.99 * (ROUNDS - 1))] ?? Infinity;
}

function memoryOf({ pid }: NodeProcess): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
  return Number(kib) * 1024;
}

function mib(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}

describe('while a node is attacked, an honest client is served', () => {
  for (const name of ATTACKS) {
    test(name, async (t) => {
      const node = await NodeProcess.start(t, { root: makeRoot(t) });
      const quiet = await honestFetches(t, node, 'without the attack');
      const before = memoryOf(node);
      const attacker = new Child(t, 'nice', [
        '-n',
        '19',
        process.execPath,
        programAt('attacker.js'),
        name,
        String(node.hop.port),
      ]);
      await attacker.until(({ stdout }) => stdout.includes('attacking'));
      const attacked = await honestFetches(t, node, 'during the attack');
      const during = memoryOf(node);
      attacker.process.kill('SIGKILL');
      await attacker.ended;
      const deadline = performance.now() + RECOVERY_MS;
      while (memoryOf(node) > before + KEPT_BYTES && performance.now() < deadline) await delay(500);
      const after = memoryOf(node);
      const figures = `p99 ${quiet.toFixed(1)} → ${attacked.toFixed(1)} ms, ${mib(before)} → ${mib(during)} → ${mib(after)}`;
      t.diagnostic(figures);
      assert.ok(attacked <= SLOWDOWN * quiet, figures);
      assert.ok(after <= before + KEPT_BYTES, figures);
    });
  }
});
