import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { formatHop } from 'viaduct';
import { watchDescriptors } from '../support/leaks.js';
import { NodeProcess } from '../support/processes.js';
import { rawConnect, readToEnd } from '../support/raw.js';
import { tempFolder } from '../support/temp.js';
import { type StrictReply, get, repliesIn } from '../support/wire-replies.js';

const FILES = 100_000;
const MAY_GROW = 64 * 2 ** 20;
const PAGE_BYTES = 200_000;

function nameOf(index: number): string {
  return `file number ${index} of the folder`;
}

/** A folder of so many empty files, and one with a single file to warm the node up with. */
function makeFolders(t: TestContext): string {
  const root = tempFolder(t);
  for (let index = 0; index < FILES; index += 1) closeSync(openSync(join(root, nameOf(index)), 'w'));
  return root;
}

async function reply(socket: Socket, request: string): Promise<StrictReply> {
  const ending = readToEnd(socket);
  socket.write(request);
  const { bytes, how } = await ending;
  assert.equal(how, 'end');
  const [first, ...others] = repliesIn(bytes);
  assert.deepEqual(others, []);
  return first ?? assert.fail('no reply');
}

test('a folder of 100,000 files lists, and the node grows by no more than 64 MiB', async (t) => {
  const root = makeFolders(t);
  const [node, relay] = await Promise.all([
    NodeProcess.start(t, { root }),
    NodeProcess.start(t, { root: tempFolder(t) }),
  ]);
  const released = watchDescriptors(node, relay);
  const ask = async (path: string, accept: string): Promise<StrictReply> =>
    reply(await rawConnect(t, relay.hop), get(`/@${formatHop(node.hop)}${path}`, `Accept: ${accept}`));

  // What any request costs once: code, buffers, threads for reading files.
  await ask('/missing', 'text/html');
  await ask(`/${encodeURIComponent(nameOf(0))}`, '*/*');
  const before = node.memory.resident;
  for (let round = 0; round < 2; round += 1) {
    const json = await ask('/', 'application/json');
    const { entries } = JSON.parse(json.body.toString()) as { entries: { name: string }[] };
    assert.deepEqual(
      entries.map(({ name }) => name),
      Array.from({ length: FILES }, (_, index) => nameOf(index)),
    );
    const html = await ask('/', '*/*');
    assert.equal(html.body.toString().match(/<a href="/g)?.length, FILES);
    assert.match(html.body.toString(), /<\/html>\n$/);
    // A browser gets pages.
    for (const [path, first] of [
      ['/', nameOf(0)],
      ['/?page=400', nameOf(FILES - 250)],
      ['/?sort=size&order=desc', nameOf(0)],
      ['/?q=number+777', nameOf(777)],
    ] as const) {
      const { body } = await ask(path, 'text/html');
      assert.ok(body.length < PAGE_BYTES, `${path} has ${body.length} bytes`);
      assert.equal(/>([^<]*)<\/a><\/td>/.exec(body.toString())?.[1], first, path);
    }
  }
  // The peak counts: what the kernel had to find for it at the worst moment.
  const { peak } = node.memory;
  const grown = Math.round((peak - before) / 2 ** 20);
  t.diagnostic(`the node had ${Math.round(before / 2 ** 20)} MiB and grew by ${grown} MiB at most`);
  assert.ok(peak - before <= MAY_GROW, `it grew by ${grown} MiB`);
  await released();
});

test('clients that take nothing of such a listing hold no memory for it', async (t) => {
  const root = makeFolders(t);
  const node = await NodeProcess.start(t, { root });
  const warm = await rawConnect(t, node.hop);
  await reply(warm, get('/', 'Accept: */*'));
  const before = node.memory.resident;
  const released = watchDescriptors(node);
  const stalled = await Promise.all(Array.from({ length: 4 }, () => rawConnect(t, node.hop)));
  for (const socket of stalled) socket.pause().write(get('/', 'Accept: */*'));
  // One that does read ends after them all have begun.
  const reader = await rawConnect(t, node.hop);
  await reply(reader, get('/', 'Accept: */*'));
  const grown = node.memory.peak - before;
  assert.ok(grown <= 2 * MAY_GROW, `it grew by ${Math.round(grown / 2 ** 20)} MiB`);
  for (const socket of stalled) socket.resetAndDestroy();
  await released();
});
