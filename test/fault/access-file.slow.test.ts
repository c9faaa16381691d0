import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { type TestContext, test } from 'node:test';
import { authorize, revoke } from '#src/identity/authorized-keys.js';
import type { TestNode } from '../support/nodes.js';
import { KEYS, attemptReply, authorizedFile, readable, treeToRead } from '../support/readers.js';

// The list of authorized keys is changed, damaged and replaced while a node runs: each request goes by what it has now.

const { alice, bob } = KEYS;
const LINES = `${alice.pin} alice\n${bob.pin} bob path=/photos\n`;

async function running(t: TestContext, text = LINES) {
  const authorized = authorizedFile(t, text);
  const nodes = await readable(t, { root: treeToRead(t), access: 'keys', authorized });
  const reads = async (key: typeof alice, path = '/a.txt'): Promise<boolean> => {
    const { status } = await attemptReply(t, nodes, { dialect: 'HTTPS', key, path });
    assert.ok(status === 200 || status === 403, String(status));
    return status === 200;
  };
  return { authorized, reads, reports: () => reportsOf(nodes.origin) };
}

/** What was reported of the list: the number of keys, or why it cannot be used. */
function reportsOf({ events }: TestNode): (number | string)[] {
  return events.flatMap((event) => (event.type === 'authorized' ? [event.error?.message ?? event.keys] : []));
}

test('a change holds for the next request', async (t) => {
  const { authorized, reads, reports } = await running(t);
  assert.deepEqual(
    [await reads(alice), await reads(bob), await reads(bob, '/photos/p.jpg')],
    [true, false, true],
  );
  assert.equal(await revoke(authorized, 'alice'), true);
  assert.equal(await reads(alice), false);
  await authorize(authorized, { pin: bob.pin, name: 'bob', below: [], expires: undefined });
  assert.equal(await reads(bob), true);
  writeFileSync(authorized, LINES);
  assert.equal(await reads(alice), true);
  assert.deepEqual(reports(), [2, 1, 1, 2]);
});

test('also one of the same size and time, in place', async (t) => {
  const { authorized, reads } = await running(t, `${alice.pin}\n`);
  for (let round = 0; round < 20; round += 1) {
    const [yes, no] = round % 2 === 0 ? [bob, alice] : [alice, bob];
    writeFileSync(authorized, `${yes.pin}\n`);
    utimesSync(authorized, 1_700_000_000, 1_700_000_000);
    assert.deepEqual([await reads(yes), await reads(no)], [true, false], `round ${round}`);
  }
});

test('without a list nobody may read, and it may come later', async (t) => {
  const { authorized, reads, reports } = await running(t);
  rmSync(authorized);
  assert.equal(await reads(alice), false);
  rmSync(dirname(authorized), { recursive: true });
  assert.equal(await reads(alice), false);
  await authorize(authorized, { pin: alice.pin, name: undefined, below: [], expires: undefined });
  assert.equal(await reads(alice), true);
  assert.deepEqual(
    reports().filter((report, index, all) => report !== all[index - 1]),
    [2, 0, 1],
  );
});

const isRoot = process.geteuid?.() === 0;

/** How a list that was fine becomes unusable, and what is reported of it. */
const DAMAGES: Readonly<Record<string, readonly [damage: (path: string) => void, reason: RegExp]>> = {
  'writable by its group': [(path) => chmodSync(path, 0o620), /it is writable by others; run: chmod go-w /],
  'writable by all': [(path) => chmodSync(path, 0o602), /it is writable by others; run: chmod go-w /],
  'in a folder that others can write to': [
    (path) => {
      chmodSync(dirname(path), 0o777);
      appendFileSync(path, '#\n');
    },
    /cannot use the state folder .*: it is writable by others/,
  ],
  'with half a line at its end': [(path) => truncateSync(path, LINES.length - 3), /line 2 has no end \(LF\)/],
  'with a path that is cut off': [
    (path) => truncateSync(path, LINES.length - 1),
    /line 2 has no end \(LF\), so the file may be incomplete; correct or remove the line/,
  ],
  'with a line that is none': [
    (path) => appendFileSync(path, 'sha256//x carol\n'),
    /line 3 is not "sha256\/\/PIN/,
  ],
  'with a pin again': [
    (path) => appendFileSync(path, `${alice.pin} path=/photos\n`),
    /line 3 has the pin of line 1 again/,
  ],
  'with a path that is not plain': [
    (path) => appendFileSync(path, `${KEYS.stranger.pin} path=/photos/..\n`),
    /line 3 has no valid path: "path=\/photos\/\.\."/,
  ],
  'that is not text': [(path) => writeFileSync(path, Buffer.alloc(1000, 0xff)), /line 1 is not "sha256/],
  'that is a folder': [
    (path) => {
      rmSync(path);
      mkdirSync(path);
    },
    /it is not a file/,
  ],
  'that is a link': [
    (path) => {
      renameSync(path, `${path}.real`);
      symlinkSync(`${path}.real`, path);
    },
    /it is a link/,
  ],
  'with another name': [(path) => linkSync(path, `${path}.other`), /it has another name too/],
};

for (const [what, [damage, reason]] of Object.entries(DAMAGES))
  test(`nobody may read with a list ${what}; it is reported once, and when it is right again`, async (t) => {
    const { authorized, reads, reports } = await running(t);
    assert.equal(await reads(alice), true);
    damage(authorized);
    for (const key of [alice, bob, alice]) assert.equal(await reads(key), false);
    chmodSync(dirname(authorized), 0o700);
    rmSync(authorized, { recursive: true });
    rmSync(`${authorized}.other`, { force: true });
    writeFileSync(authorized, LINES, { mode: 0o600 });
    assert.equal(await reads(alice), true);
    const [first, why, last, ...more] = reports();
    assert.deepEqual([first, last, more], [2, 2, []]);
    assert.match(String(why), reason);
  });

test(
  'nobody may read with a list that cannot be read',
  { skip: isRoot && 'root reads everything' },
  async (t) => {
    const { authorized, reads, reports } = await running(t);
    chmodSync(authorized, 0o000);
    assert.equal(await reads(alice), false);
    assert.match(String(reports().at(-1)), /permission denied/);
  },
);

test('a node starts with a list that cannot be used, and reports it', async (t) => {
  const { authorized, reads, reports } = await running(t, 'garbage\n');
  assert.match(String(reports()[0]), /^cannot read \/\S+authorized_keys: line 1 is not /);
  assert.equal(await reads(alice), false);
  writeFileSync(authorized, LINES);
  assert.equal(await reads(alice), true);
});

test('requests at the same time see a change that was made before them', async (t) => {
  const { authorized, reads } = await running(t);
  for (let round = 0; round < 5; round += 1) {
    const begun = Array.from({ length: 4 }, () => reads(alice));
    await revoke(authorized, 'alice');
    const after = Array.from({ length: 4 }, () => reads(alice));
    assert.deepEqual(await Promise.all(after), [false, false, false, false]);
    await Promise.all(begun);
    await authorize(authorized, { pin: alice.pin, name: 'alice', below: [], expires: undefined });
    assert.equal(await reads(alice), true);
  }
});
