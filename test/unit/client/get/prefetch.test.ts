import assert from 'node:assert/strict';
import { readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { type GetEvent, type GetSummary, type HostHop, getAll } from 'viaduct';
import { partialPathsOf } from '#src/files/partial-name.js';
import { digestField, replyOf } from '../../../support/file-origin.js';
import { faultProxy } from '../../../support/fault-proxy.js';
import { testChain, testNode } from '../../../support/nodes.js';
import { rawServer } from '../../../support/raw.js';
import { tempFolder } from '../../../support/temp.js';
import { ENCRYPTED, WIRES, type Wire } from '../../../support/wires.js';

const MODIFIED = '2001-02-03T04:05:06.000Z';

interface Fetched extends GetSummary {
  readonly folder: string;
  readonly events: readonly { readonly target: string; readonly event: GetEvent | string }[];
}

async function fetchTree(
  t: TestContext,
  hops: readonly HostHop[],
  wire: Wire,
  folder = join(tempFolder(t), 'tree'),
): Promise<Fetched> {
  const events: { target: string; event: GetEvent | string }[] = [];
  const summary = await getAll([{ location: { route: hops, path: '/' }, target: folder, recursive: true }], {
    ...wire.options,
    onFile: (target) => ({
      event: (event) => events.push({ target, event }),
      complete: () => events.push({ target, event: 'complete' }),
      failed: ({ code }) => events.push({ target, event: code }),
    }),
  });
  return { ...summary, folder, events };
}

function contentOf(index: number): string {
  return `content of ${index} `.repeat(index % 7);
}

function manyFiles(root: string, count: number): void {
  for (let index = 0; index < count; index += 1) writeFileSync(join(root, `f${index}`), contentOf(index));
}

function assertMany(folder: string, count: number): void {
  for (let index = 0; index < count; index += 1)
    assert.equal(readFileSync(join(folder, `f${index}`), 'utf8'), contentOf(index));
  assert.equal(readdirSync(folder).length, count);
}

/** A node with files in one folder, which answers requests that are sent ahead. */
async function modelOrigin(
  t: TestContext,
  wire: Wire,
  files: Readonly<Record<string, (times: number) => Buffer>>,
): Promise<HostHop> {
  const asked = new Map<string, number>();
  const listing = (): Buffer => {
    const entries = Object.keys(files).map((name) =>
      name.endsWith('/')
        ? `\n${JSON.stringify({ name: name.slice(0, -1), type: 'folder', modified: MODIFIED })}`
        : `\n${JSON.stringify({ name, type: 'file', size: 7, modified: MODIFIED })}`,
    );
    const body = `{"path":"/","entries":[${entries.join(',')}\n]}\n`;
    return replyOf(200, { 'Content-Type': 'application/json' }, body);
  };
  const { hop } = await rawServer(t, (socket) => {
    let text = '';
    socket.on('data', (bytes: Buffer) => {
      const heads = (text + bytes.toString('latin1')).split('\r\n\r\n');
      text = heads.pop() ?? '';
      for (const head of heads) {
        const path = head.split(' ')[1] ?? '';
        const times = asked.get(path) ?? 0;
        asked.set(path, times + 1);
        socket.write(path === '/' ? listing() : (files[path.slice(1)]?.(times) ?? replyOf(404, {})));
        if (/^connection: close/im.test(head)) socket.end();
      }
    });
  });
  return wire.front(t, hop);
}

function fileReply(body: string, digestOf = body): Buffer {
  return replyOf(200, { ETag: '"v1"', 'Repr-Digest': digestField(Buffer.from(digestOf)) }, body);
}

for (const wire of WIRES)
  describe(`small files of a folder, ${wire.name},`, () => {
    test('come over few connections, and have all the events of a file', async (t) => {
      const root = tempFolder(t);
      manyFiles(root, 300);
      const { nodes, route } = await testChain(t, 2, { root });
      const { files, failures, folder, events } = await fetchTree(t, route, wire);
      assert.deepEqual([files, failures], [300, 0]);
      assertMany(folder, 300);
      for (const node of nodes) {
        const accepted = node.events.filter(({ type }) => type === 'accepted').length;
        assert.ok(accepted <= 5, `${accepted} connections`);
      }
      const ofOne = events.filter(({ target }) => target === join(folder, 'f5')).map(({ event }) => event);
      assert.deepEqual(
        ofOne.map((event) => (typeof event === 'string' ? event : event.type)),
        ['phase', 'trace', 'reply', 'phase', 'progress', 'phase', 'complete'],
      );
    });

    test('are complete in spite of connections that break again and again', async (t) => {
      const root = tempFolder(t);
      manyFiles(root, 200);
      const node = await testNode(t, { root });
      let broken = 0;
      const { hop } = await faultProxy(t, node.hop, (connection) => {
        if (connection % 3 !== 1) return { kind: 'split', at: 1 };
        broken += 1;
        return { kind: 'reset', at: 20_000 };
      });
      const { files, failures, folder } = await fetchTree(t, [hop], wire);
      assert.deepEqual([files, failures], [200, 0]);
      assert.ok(broken > 0);
      assertMany(folder, 200);
    });

    test('that are damaged are fetched again, and said so', async (t) => {
      const hop = await modelOrigin(t, wire, {
        bad: (times) => fileReply(times === 0 ? 'damaged' : 'correct', 'correct'),
        good: () => fileReply('correct'),
      });
      const { files, failures, folder, events } = await fetchTree(t, [hop], wire);
      assert.deepEqual([files, failures], [2, 0]);
      for (const name of ['bad', 'good']) assert.equal(readFileSync(join(folder, name), 'utf8'), 'correct');
      const restarts = events.filter(({ event }) => typeof event !== 'string' && event.type === 'restart');
      assert.deepEqual(
        restarts.map(({ target }) => target),
        [join(folder, 'bad')],
      );
    });

    test('that are gone, or no longer small, are dealt with one by one', async (t) => {
      const large = 'x'.repeat(300_000);
      const hop = await modelOrigin(t, wire, {
        a: () => fileReply('correct'),
        gone: () => replyOf(404, {}),
        grown: () => fileReply(large),
        z: () => fileReply('correct'),
      });
      const { files, failures, firstFailure, folder, events } = await fetchTree(t, [hop], wire);
      assert.deepEqual([files, failures, firstFailure?.code], [3, 1, 'HTTP_ERROR']);
      assert.equal(readFileSync(join(folder, 'grown'), 'utf8'), large);
      assert.deepEqual(readdirSync(folder).toSorted(), ['a', 'grown', 'z']);
      const ends = events.filter(({ event }) => typeof event === 'string');
      assert.equal(ends.length, 4, 'each file ends once');
    });
  });

test('what answers for a folder and never ends is given up', async (t) => {
  const endless = `HTTP/1.1 404 None\r\nViaduct: 1\r\nTransfer-Encoding: chunked\r\n\r\n`;
  const hop = await modelOrigin(t, ENCRYPTED, {
    'sub/': () => Buffer.from(endless + '4\r\nmore\r\n'.repeat(100_000)),
    z: () => fileReply('correct'),
  });
  const { files, failures } = await fetchTree(t, [hop], ENCRYPTED);
  assert.deepEqual([files, failures], [1, 1]);
});

describe('a small file', () => {
  test('takes the place of a file, not of a link or a folder', async (t) => {
    const root = tempFolder(t);
    for (const name of ['file', 'link', 'folder']) writeFileSync(join(root, name), 'new');
    const { hop } = await testNode(t, { root });
    const folder = tempFolder(t);
    const outside = join(tempFolder(t), 'outside');
    writeFileSync(outside, 'outside');
    writeFileSync(join(folder, 'file'), 'older', { mode: 0o640 });
    symlinkSync(outside, join(folder, 'link'));
    symlinkSync(root, join(folder, 'folder'));
    const { files, failures, firstFailure } = await fetchTree(t, [hop], ENCRYPTED, folder);
    assert.deepEqual([files, failures, firstFailure?.code], [1, 2, 'WRITE_FAILED']);
    assert.equal(readFileSync(join(folder, 'file'), 'utf8'), 'new');
    assert.equal(readFileSync(outside, 'utf8'), 'outside');
  });

  test('that a killed process has left under its hidden name is written anew', async (t) => {
    const root = tempFolder(t);
    writeFileSync(join(root, 'file'), 'content');
    const { hop } = await testNode(t, { root });
    const folder = tempFolder(t);
    const { partial } = partialPathsOf(join(folder, 'file'), true);
    writeFileSync(partial, 'conte', { mode: 0o600 });
    const { files } = await fetchTree(t, [hop], ENCRYPTED, folder);
    assert.equal(files, 1);
    assert.deepEqual(readdirSync(folder), ['file']);
    writeFileSync(partial, 'conte', { mode: 0o600 });
    assert.equal((await fetchTree(t, [hop], ENCRYPTED, folder)).skipped, 1);
    assert.deepEqual(readdirSync(folder), ['file']);
  });
});
