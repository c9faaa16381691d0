import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type NodeOptions, getAll } from 'viaduct';
import { SECRET, linkTo } from '../support/links.js';
import {
  type Attempt,
  DIALECTS,
  KEYS,
  attempt,
  attemptReply,
  authorizedFile,
  readable,
} from '../support/readers.js';
import { tempFolder } from '../support/temp.js';

// Folders side by side, each with readers of its own: who reads what, on every wire.

const PLACES = ['open', 'keyed', 'linked', 'both', 'same'] as const;
const BODY = 'content';

/** A node with one share of each access, and a root with a file and with names that shares hide. */
function options(t: TestContext, access: NonNullable<NodeOptions['access']>): Partial<NodeOptions> {
  const folder = tempFolder(t);
  for (const place of PLACES) {
    mkdirSync(join(folder, place));
    writeFileSync(join(folder, place, 'file'), BODY);
  }
  const root = tempFolder(t);
  mkdirSync(join(root, 'keyed'));
  writeFileSync(join(root, 'file'), BODY);
  writeFileSync(join(root, 'keyed', 'hidden-by-the-share'), BODY);
  writeFileSync(join(root, 'linked'), BODY);
  const at = (name: (typeof PLACES)[number]): string => join(folder, name);
  return {
    root,
    access,
    authorized: authorizedFile(t, `${KEYS.alice.pin} alice\n${KEYS.bob.pin} bob path=/both\n`),
    shareSecret: SECRET,
    shares: [
      { name: 'open', folder: at('open'), access: 'public' },
      { name: 'keyed', folder: at('keyed'), access: 'keys' },
      { name: 'linked', folder: at('linked'), access: 'links' },
      { name: 'both', folder: at('both'), access: ['keys', 'links'] },
      { name: 'same', folder: at('same') },
    ],
  };
}

/** Who may read `/file` of the root and of each place: without anything, with the key of alice or of bob, with a link for it. */
const EVERYONE = ['nothing', 'alice', 'bob', 'link'];
const [KEYED, LINKED, BOTH] = [['alice'], ['link'], ['alice', 'bob', 'link']];
const TABLE = {
  public: { '': EVERYONE, open: EVERYONE, keyed: KEYED, linked: LINKED, both: BOTH, same: EVERYONE },
  keys: { '': KEYED, open: EVERYONE, keyed: KEYED, linked: LINKED, both: BOTH, same: KEYED },
  links: { '': LINKED, open: EVERYONE, keyed: KEYED, linked: LINKED, both: BOTH, same: LINKED },
} as const;

for (const access of ['public', 'keys', 'links'] as const)
  for (const dialect of DIALECTS)
    test(`root ${access}, ${dialect}: each share is for its own readers`, async (t) => {
      const nodes = await readable(t, options(t, access));
      const carriesKeys = dialect === 'HTTPS' || dialect === 'tunnel';
      const isRead = async (asked: Omit<Attempt, 'dialect'>): Promise<boolean> => {
        const { bytes } = await attempt(t, nodes, { dialect, ...asked });
        return bytes.toString('latin1').endsWith(BODY);
      };
      for (const [place, readers] of Object.entries(TABLE[access])) {
        const path = place === '' ? '/file' : `/${place}/file`;
        const clients = {
          nothing: { path },
          ...(carriesKeys && { alice: { path, key: KEYS.alice }, bob: { path, key: KEYS.bob } }),
          ...(dialect !== 'classic' && { link: { path: linkTo(path, 'file') } }),
        };
        for (const [client, asked] of Object.entries(clients))
          assert.equal(await isRead(asked), readers.includes(client), `${path}, with ${client}`);
      }
      // A link to everything opens no share that has no links.
      for (const [path, opens] of [
        ['/file', access !== 'keys'],
        ['/keyed/file', false],
        ['/linked/file', true],
        ['/both/file', true],
      ] as const)
        if (dialect !== 'classic')
          assert.equal(await isRead({ path: linkTo('/', 'folder', path) }), opens, `all, for ${path}`);
      assert.equal(await isRead({ path: '/keyed/hidden-by-the-share', key: KEYS.alice }), false);
    });

test('a refusal in a share says nothing of what is in it', async (t) => {
  const nodes = await readable(t, options(t, 'public'));
  const refusal = async (path: string): Promise<string> =>
    (await attemptReply(t, nodes, { dialect: 'HTTP', path })).body.toString();
  const text = await refusal('/keyed/file');
  assert.match(text, /ACCESS_DENIED/);
  for (const path of ['/keyed', '/keyed/', '/keyed/missing', '//keyed/./file', '/keyed/../file'])
    assert.equal(await refusal(path), text, path);
});

test('the top lists the shares that the client may read, in order, as folders', async (t) => {
  const nodes = await readable(t, options(t, 'public'));
  const listed = async (asked: Omit<Attempt, 'dialect'>): Promise<string> => {
    const fields = ['Accept: application/json'];
    const { body } = await attemptReply(t, nodes, { dialect: 'HTTPS', fields, ...asked });
    // In one chunk, so few are they.
    const entries = body.toString().matchAll(/"name":"([^"]*)","type":"(\w*)"/g);
    return [...entries].map(([, name, type]) => `${name}${type === 'folder' ? '/' : ''}`).join(' ');
  };
  assert.equal(await listed({ path: '/' }), 'open/ same/ file');
  assert.equal(await listed({ path: '/', key: KEYS.alice }), 'both/ keyed/ open/ same/ file');
  assert.equal(await listed({ path: '/', key: KEYS.bob }), 'both/ open/ same/ file');
  assert.equal(await listed({ path: linkTo('/', 'folder') }), 'both/ linked/ open/ same/ file');
  assert.equal(await listed({ path: '/open/' }), 'file');
});

test('get -r of the top has all that the client may read, and nothing else', async (t) => {
  const { root: _none, ...shares } = options(t, 'public');
  const { origin } = await readable(t, shares);
  const folder = tempFolder(t);
  const item = { location: { route: [origin.hop], path: '/' }, target: folder, recursive: true };
  const listener = { event: () => {}, complete: () => {}, failed: assert.ifError };
  await getAll([item], { plain: true, onFile: () => listener });
  assert.deepEqual(readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted(), [
    'open',
    'open/file',
    'same',
    'same/file',
  ]);
});
