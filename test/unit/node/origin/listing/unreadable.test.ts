import assert from 'node:assert/strict';
import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { formatHop } from 'viaduct';
import { testNode } from '../../../../support/nodes.js';
import { runInProcess } from '../../../../support/program.js';
import { PINNED } from '../../../../support/identity.js';
import { tempFolder } from '../../../../support/temp.js';
import { ask, get } from '../../../../support/wire-replies.js';

/** Calls something with the name of a file before its size and time are read. */
function beforeStat(t: TestContext, act: (name: string) => void): void {
  for (const call of ['stat', 'lstat'] as const) {
    const real = fs[call];
    Reflect.set(fs, call, async (...args: readonly unknown[]): Promise<unknown> => {
      act(String(args[0]).split('/').at(-1) ?? '');
      return Reflect.apply(real, fs, args);
    });
    t.after(() => {
      Reflect.set(fs, call, real);
      syncBuiltinESMExports();
    });
  }
  syncBuiltinESMExports();
}

/** Lets the size and time of some files fail to be read, as in a folder that only may be listed. */
function failStat(t: TestContext, codes: Readonly<Record<string, string>>): void {
  beforeStat(t, (name) => {
    const code = codes[name];
    if (code !== undefined) throw Object.assign(new Error(code), { code });
  });
}

test('entries that cannot be read are counted on the page, in JSON and by clients; those that are gone are not', async (t) => {
  const root = tempFolder(t);
  for (const name of ['fine', 'denied', 'broken', 'gone']) writeFileSync(join(root, name), '');
  const node = await testNode(t, { root });
  failStat(t, { denied: 'EACCES', broken: 'EIO', gone: 'ENOENT' });
  for (const path of ['/', '/?sort=size', '/?sort=time&order=desc']) {
    const json = (await ask(t, node.hop, get(path, 'Accept: application/json'))).body.toString();
    const { entries, omitted } = JSON.parse(json) as { entries: { name: string }[]; omitted: unknown };
    assert.deepEqual(
      entries.map(({ name }) => name),
      ['fine'],
    );
    assert.deepEqual(omitted, { hidden: 0, links: 0, special: 0, unreadable: 2 });
    const page = (await ask(t, node.hop, get(path, 'Accept: text/html'))).body.toString();
    assert.match(page, /Not listed: 2 that cannot be read\./);
  }
  const where = `${formatHop(node.hop)}/`;
  const listed = await runInProcess(['ls', ...PINNED, where]);
  assert.deepEqual([listed.code, listed.stdout], [0, 'fine\n']);
  assert.match(listed.stderr, /not listed: 2 that cannot be read/);
  const fetched = await runInProcess(['get', ...PINNED, '-r', where, '-o', join(tempFolder(t), 'all')]);
  assert.equal(fetched.code, 22);
  assert.match(fetched.stderr, /does not serve all of the folder: 2 that cannot be read/);
});

for (const path of ['/', '/?sort=size'])
  test(`a link that has taken the place of a file shows nothing of what is outside, for ${path}`, async (t) => {
    const root = tempFolder(t);
    const outside = join(tempFolder(t), 'outside');
    writeFileSync(outside, 'secret');
    for (const name of ['fine', 'swapped', 'inside']) writeFileSync(join(root, name), '');
    const node = await testNode(t, { root });
    const targets = new Map([
      ['swapped', outside],
      ['inside', 'fine'],
    ]);
    beforeStat(t, (name) => {
      const target = targets.get(name);
      if (target === undefined) return;
      targets.delete(name);
      rmSync(join(root, name));
      symlinkSync(target, join(root, name));
    });
    const json = (await ask(t, node.hop, get(path, 'Accept: application/json'))).body.toString();
    const { entries, omitted } = JSON.parse(json) as { entries: unknown[]; omitted: unknown };
    assert.deepEqual(targets.size, 0);
    assert.deepEqual(
      entries.map((entry) => (entry as { name: string }).name),
      ['fine', 'inside'],
    );
    assert.deepEqual(omitted, { hidden: 0, links: 0, special: 0, unreadable: 1 });
  });
