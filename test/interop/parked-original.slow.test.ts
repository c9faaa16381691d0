import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type HostHop, type ParkedHop, type Route, formatHop, formatInput } from 'viaduct';
import { fetchBytes } from '../support/fetch.js';
import { freezingProxy } from '../support/freezing-proxy.js';
import { PINNED } from '../support/identity.js';
import { havePeer } from '../support/peers.js';
import { NodeProcess, startClient } from '../support/processes.js';
import { randomFile, sha256, tempFolder } from '../support/temp.js';
import { originalClient } from './original.js';

/** A PC behind NAT that is parked at the public node. */
async function parkedPc(t: TestContext, at: HostHop, name: string, root: string): Promise<NodeProcess> {
  const args = ['--park', formatHop(at), '--name', name, ...PINNED];
  // To dial the public node, which stands in the same host here.
  const pc = await NodeProcess.start(t, { root, args: [...args, '--allow-hop', '127.0.0.1'] });
  await pc.until(({ log }) => log.find(({ msg }) => msg === 'parked'));
  return pc;
}

interface Pcs {
  readonly publicNode: NodeProcess;
  readonly pcs: readonly [NodeProcess, NodeProcess];
  readonly route: Route;
}

/** The two PCs of the original, which cannot reach each other: both are parked at one public node. */
async function twoPcs(
  t: TestContext,
  root: string,
  front = (hop: HostHop) => Promise.resolve(hop),
): Promise<Pcs> {
  const publicNode = await NodeProcess.start(t, { root: tempFolder(t), args: ['--park-for', 'any'] });
  const hop = await front(publicNode.hop);
  const [one, two] = await Promise.all([
    parkedPc(t, hop, 'pc1', tempFolder(t)),
    parkedPc(t, hop, 'pc2', root),
  ]);
  const [pc1, pc2]: ParkedHop[] = [{ parked: 'pc1' }, { parked: 'pc2' }];
  assert.ok(pc1 && pc2);
  return { publicNode, pcs: [one, two], route: [hop, pc1, hop, pc2] };
}

const transcript = (role: 'proxy' | 'server'): string => `the server is ready
creating new thread 0
Working as a ${role} in thread 0
file sending in thread 0 completed
`;

async function assertTranscripts({ pcs: [one, two] }: Pcs): Promise<void> {
  await one.until(({ lines }) => lines.length === 4);
  assert.equal(one.stdout, transcript('proxy'));
  await two.until(({ lines }) => lines.length === 4);
  assert.equal(two.stdout, transcript('server'));
}

test("an original client over two parked PCs: the original's transcript", async (t) => {
  if (!havePeer(t, 'python3')) return;
  const root = tempFolder(t);
  const bytes = randomFile(root, 'file.bin', 6);
  randomFile(root, 'empty', 0);
  const pcs = await twoPcs(t, root);
  const source = { name: 'file.bin', route: pcs.route };
  assert.match(formatInput(source), /^file\.bin\n127\.0\.0\.1 \d+\n~pc1 0\n127\.0\.0\.1 \d+\n~pc2 0\n$/);
  const saved = await originalClient(t, tempFolder(t), source);
  assert.equal(sha256(saved), sha256(bytes));
  await assertTranscripts(pcs);
  // The public node relayed twice; its other lines are those of the connections that are parked.
  const { publicNode } = pcs;
  const threads = publicNode.lines.flatMap(
    (line) => /^Working as a proxy in thread (\d+)$/.exec(line)?.[1] ?? [],
  );
  assert.equal(threads.length, 2);
  for (const thread of threads)
    await publicNode.until(({ lines }) => lines.includes(`file sending in thread ${thread} completed`));
  assert.ok(
    publicNode.lines.every((line) => !line.startsWith('Working as a server') && !/failed/.test(line)),
  );
  // This client prints the same line as the original.
  const folder = tempFolder(t);
  const client = startClient(t, folder, source);
  assert.equal(await client.ended, 0, client.stderr);
  assert.match(client.stdout, /^The file got downloaded in the client\.\nfile\.bin {2}[^\n]+\n$/);
  assert.equal(sha256(readFileSync(join(folder, 'file.bin'))), sha256(bytes));
  assert.equal((await fetchBytes('empty', pcs.route)).length, 0);
});

test('behind a forwarder of TCP the original client and the parking work all the same', async (t) => {
  if (!havePeer(t, 'python3')) return;
  const root = tempFolder(t);
  const bytes = randomFile(root, 'file.bin', 5 * 1024 * 1024);
  // As `ssh -R` or a tunnel service does: the address of the public node is the forwarder's.
  const pcs = await twoPcs(t, root, async (hop) => (await freezingProxy(t, hop)).hop);
  const saved = await originalClient(t, tempFolder(t), { name: 'file.bin', route: pcs.route });
  assert.equal(sha256(saved), sha256(bytes));
  await assertTranscripts(pcs);
});
