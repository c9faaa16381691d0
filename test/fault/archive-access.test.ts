import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import type { NodeOptions } from 'viaduct';
import { askTar, tarEntries } from '../support/archives.js';
import { SECRET, linkTo, tokenFor } from '../support/links.js';
import { testNode } from '../support/nodes.js';
import { KEYS, attemptReply, authorizedFile, readable, treeToRead } from '../support/readers.js';
import { readTar } from '../support/tar.js';
import { tempFolder } from '../support/temp.js';
import { ask, get } from '../support/wire-replies.js';

// What is in the archive of a folder: nothing that its reader could not fetch file by file.

const SPECIAL = ['', 'sub'];

/** A tree with what is not served, at two depths, and the keys of its node in it. */
async function guarded(t: TestContext, options: Partial<NodeOptions> = {}) {
  const root = tempFolder(t);
  const outside = join(tempFolder(t), 'outside');
  writeFileSync(outside, 'out');
  const state = join(root, 'dir', 'state');
  mkdirSync(state, { recursive: true });
  writeFileSync(join(state, 'node.pem'), 'key', { mode: 0o600 });
  for (const sub of SPECIAL) {
    const dir = join(root, 'dir', sub);
    mkdirSync(join(dir, '.hidden'), { recursive: true });
    mkdirSync(join(dir, '.viaduct'), { recursive: true });
    for (const name of ['plain', '.dotfile', '.hidden/file', '.viaduct/file'])
      writeFileSync(join(dir, name), name);
    symlinkSync('plain', join(dir, 'link'));
    symlinkSync(outside, join(dir, 'out'));
    symlinkSync('..', join(dir, 'up'));
    symlinkSync('nowhere', join(dir, 'broken'));
    linkSync(join(state, 'node.pem'), join(dir, 'hard'));
    execFileSync('mkfifo', [join(dir, 'fifo')]);
    writeFileSync(join(dir, 'client.pem'), '-----BEGIN PRIVATE KEY-----\n', { mode: 0o600 });
  }
  const node = await testNode(t, { root, secrets: [state], ...options });
  return { hop: node.hop };
}

const fileNames = (entries: Iterable<{ readonly name: string }>): string[] =>
  [...entries].map(({ name }) => name).toSorted();

test('hidden names, links, special files and keys are left out, and counted', async (t) => {
  const { hop } = await guarded(t);
  const { fields, body } = await askTar(t, hop, '/dir/');
  const { comment, entries } = readTar(body);
  assert.deepEqual(fileNames(entries), ['dir/', 'dir/plain', 'dir/sub/', 'dir/sub/plain']);
  assert.equal(fields['viaduct-left-out'], 'links=8, special=2, unreadable=4');
  const [first, ...lines] = (comment ?? '').split('\n');
  assert.equal(first, 'left out: 8 links, 2 that are neither file nor folder, 4 that cannot be read');
  // A link that leads out, or nowhere, is not named, nor is what is hidden.
  assert.deepEqual(lines.toSorted(), [
    'links: dir/link',
    'links: dir/sub/link',
    'links: dir/sub/up',
    'links: dir/up',
    'special: dir/fifo',
    'special: dir/sub/fifo',
    'unreadable: dir/client.pem',
    'unreadable: dir/hard',
    'unreadable: dir/sub/client.pem',
    'unreadable: dir/sub/hard',
    '…',
  ]);
});

for (const dotfiles of [false, true])
  test(`each file of an archive can be fetched alone, with dotfiles ${dotfiles}`, async (t) => {
    const { hop } = await guarded(t, { dotfiles });
    const entries = await tarEntries(t, hop, '/');
    const files = [...entries.values()].filter(({ type }) => type === 'file');
    assert.equal(files.length, dotfiles ? 8 : 2);
    for (const { name, content } of files) {
      const { status, body } = await ask(t, hop, get(name.slice('files'.length)));
      assert.deepEqual([status, body.toString()], [200, content.toString()], name);
    }
  });

describe('who may not read the folder gets no archive of it', () => {
  for (const [what, options, path] of [
    ['hidden folders', {}, '/dir/.hidden/'],
    ['folders of keys', {}, '/dir/state/'],
    ['the reserved name', {}, '/.viaduct/'],
    ['by a link that leads out', {}, '/dir/out/'],
    ['without a link', { access: 'links', shareSecret: SECRET }, '/dir/'],
    [
      'with a link for another folder',
      { access: 'links', shareSecret: SECRET },
      linkTo('/dir/sub', 'folder', '/dir/'),
    ],
    [
      'with a link for a file',
      { access: 'links', shareSecret: SECRET },
      linkTo('/dir/plain', 'file', '/dir/'),
    ],
  ] as const)
    test(what, async (t) => {
      const { hop } = await guarded(t, options);
      const { status } = await askTar(t, hop, path);
      assert.ok([403, 404].includes(status), `${status}`);
    });
});

test('a link for a folder gives its archive, also at its top', async (t) => {
  const { hop } = await guarded(t, { access: 'links', shareSecret: SECRET });
  const { status, fields, body } = await askTar(t, hop, linkTo('/dir/sub', 'folder', '/dir/sub/'));
  assert.equal(status, 200);
  assert.deepEqual(fileNames(readTar(body).entries), ['sub/', 'sub/plain']);
  assert.ok(!body.includes(tokenFor('/dir/sub')) && !JSON.stringify(fields).includes(tokenFor('/dir/sub')));
});

test('a key for a part of the tree gives the archive of that part, and of nothing else', async (t) => {
  const root = treeToRead(t);
  const authorized = authorizedFile(t, `${KEYS.alice.pin} alice path=/photos/2024\n`);
  const nodes = await readable(t, { root, access: 'keys', authorized });
  const asked = async (path: string) => attemptReply(t, nodes, { dialect: 'tunnel', key: KEYS.alice, path });
  const allowed = await asked('/photos/2024/?tar');
  assert.deepEqual(fileNames(readTar(allowed.body).entries), ['2024/', '2024/n.jpg']);
  for (const path of ['/?tar', '/photos/?tar']) assert.equal((await asked(path)).status, 403, path);
});

test('the archive of the root has the shares that its reader may read, and no others', async (t) => {
  const [root, open, keyed] = [tempFolder(t), tempFolder(t), tempFolder(t)];
  for (const folder of [root, open, keyed]) writeFileSync(join(folder, 'file'), folder);
  for (const name of ['open', 'keyed']) mkdirSync(join(root, name));
  writeFileSync(join(root, 'open', 'behind the share'), '');
  const nodes = await readable(t, {
    root,
    authorized: authorizedFile(t, `${KEYS.alice.pin} alice\n`),
    shares: [
      { name: 'open', folder: open, access: 'public' },
      { name: 'keyed', folder: keyed, access: 'keys' },
    ],
  });
  const contents = async (key: typeof KEYS.alice | undefined) => {
    const { body } = await attemptReply(t, nodes, { dialect: 'tunnel', key, path: '/?tar' });
    const { entries } = readTar(body);
    return entries
      .filter(({ type }) => type === 'file')
      .map(({ name, content }) => [name, content.toString()]);
  };
  const everyone = [
    ['files/file', root],
    ['files/open/file', open],
  ];
  assert.deepEqual(await contents(KEYS.stranger), everyone);
  assert.deepEqual(await contents(KEYS.alice), [everyone[0], ['files/keyed/file', keyed], everyone[1]]);
  // Neither gets what was planned for the other.
  const ranged = await attemptReply(t, nodes, {
    dialect: 'tunnel',
    key: KEYS.stranger,
    path: '/?tar',
    fields: ['Range: bytes=0-'],
  });
  assert.ok(!ranged.body.includes('keyed'));
});
