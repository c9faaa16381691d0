import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type HostHop, formatHop, formatLocation } from 'viaduct';
import { fetchBytes } from '../support/fetch.js';
import { PIN, PINNED } from '../support/identity.js';
import { settles } from '../support/leaks.js';
import { parkedNode } from '../support/parking.js';
import { type Child, NodeProcess, eventsOf, startGet } from '../support/processes.js';
import { RestartableNode } from '../support/restartable.js';
import { randomFile, sha256, tempFolder } from '../support/temp.js';
import { ENCRYPTED, PLAIN, type Wire } from '../support/wires.js';

const MIB = 1024 * 1024;
const PUBLIC_NODE = ['--park-for', 'any'];

/** A parked node as a process of its own. */
async function parkedProcess(t: TestContext, root: string, relay: HostHop): Promise<NodeProcess> {
  const args = ['--park', formatHop(relay), '--name', 'attic', ...PINNED];
  const node = await NodeProcess.start(t, { root, args });
  await parkings(node, 1);
  return node;
}

/** Waits until a node has parked so often. */
function parkings(node: NodeProcess, count: number): Promise<true> {
  return node.until(({ log }) => log.filter(({ msg }) => msg === 'parked').length >= count || undefined);
}

function startDownload(t: TestContext, relay: HostHop, wire: Wire): { folder: string; child: Child } {
  const folder = tempFolder(t);
  const url = formatLocation({ route: [relay, { parked: 'attic' }], path: '/file' });
  return { folder, child: startGet(t, folder, [...wire.args, url, '--json', '--limit-rate', '4M']) };
}

async function progressOf(child: Child): Promise<void> {
  await child.until((running) => eventsOf(running).some(({ event }) => event === 'progress') || undefined);
}

/** It has the file, and did not begin anew. */
async function assertResumed(folder: string, child: Child, digest: string): Promise<void> {
  assert.equal(await child.ended, 0, child.stderr + child.stdout);
  assert.deepEqual(readdirSync(folder), ['file']);
  assert.equal(sha256(readFileSync(join(folder, 'file'))), digest);
  const offsets = eventsOf(child).flatMap(({ event, offset }) => (event === 'reply' ? [Number(offset)] : []));
  assert.ok(
    offsets.length >= 2 && offsets[0] === 0 && offsets.slice(1).every((at) => at > 0),
    offsets.join(),
  );
}

test('get goes on by itself when the parked node is killed and comes back', async (t) => {
  const root = tempFolder(t);
  const digest = sha256(randomFile(root, 'file', 6 * MIB));
  const relay = await NodeProcess.start(t, { root: tempFolder(t), args: PUBLIC_NODE });
  const first = await parkedProcess(t, root, relay.hop);
  const { folder, child } = startDownload(t, relay.hop, ENCRYPTED);
  await progressOf(child);
  first.process.kill('SIGKILL');
  await first.ended;
  await parkedProcess(t, root, relay.hop);
  await assertResumed(folder, child, digest);
});

test('get goes on by itself when the public node is killed and comes back', async (t) => {
  const root = tempFolder(t);
  const digest = sha256(randomFile(root, 'file', 6 * MIB));
  const relay = await RestartableNode.start(t, tempFolder(t), PUBLIC_NODE);
  const parked = await parkedProcess(t, root, relay.hop);
  const { folder, child } = startDownload(t, relay.hop, PLAIN);
  await progressOf(child);
  await relay.kill();
  await relay.start();
  await assertResumed(folder, child, digest);
  await parkings(parked, 2);
  const lost = parked.log.filter(({ msg }) => msg.startsWith('not parked'));
  assert.ok(lost.length >= 1 && lost.every(({ at }) => at === formatHop(relay.hop)), parked.stderr);
});

test('a public node that stops and comes back has its parked nodes again', async (t) => {
  const root = tempFolder(t);
  writeFileSync(join(root, 'file'), 'x');
  const relay = await RestartableNode.start(t, tempFolder(t), PUBLIC_NODE);
  const parked = await parkedNode(t, [relay.hop], { name: 'attic', node: { root } });
  await relay.kill();
  const { error } = await parked.event('lost');
  assert.match(error.message, /^hop 1 \(\S+\) (broke|closed) the connection$/);
  await relay.start();
  await settles(
    () => parked.events.filter(({ type }) => type === 'parked').length,
    (count) => count === 2,
    (count) => `parked ${count} times`,
  );
  assert.equal((await fetchBytes('file', [relay.hop, parked.hop])).toString(), 'x');
});

test('a parked node that is stopped leaves with one line, and its name is refused to another key', async (t) => {
  const relay = await NodeProcess.start(t, {
    root: tempFolder(t),
    args: [...PUBLIC_NODE, '--state', tempFolder(t)],
  });
  const pin = String(relay.log.find(({ msg }) => msg === 'listening')?.['pin']);
  assert.notEqual(pin, PIN);
  const args = ['--park', formatHop(relay.hop), '--name', 'attic', '--pin', pin];
  const first = await NodeProcess.start(t, { root: tempFolder(t), args });
  await parkings(first, 1);
  first.process.kill('SIGTERM');
  assert.equal(await first.ended, 0, first.stderr);
  const state = ['--state', tempFolder(t)];
  const second = await NodeProcess.start(t, { root: tempFolder(t), args: [...args, ...state] });
  const refused = await second.until(({ log }) => log.find(({ msg }) => msg.startsWith('not parked')));
  assert.equal(refused['code'], 'PARKING_REFUSED');
  assert.match(refused.msg, /knows the name "attic" as another node's; choose another --name/);
});
