import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { MAX_NAMES, NAMES_PER_PIN } from '#src/identity/parked-list.js';
import { ParkedNames, forgetParkedNames, readParkedNames } from '#src/identity/parked-names.js';
import { SINCE, pinOf, stateWith } from '../../support/parked.js';
import { Child } from '../../support/processes.js';
import { tempFolder } from '../../support/temp.js';

const [A, B] = [pinOf(1), pinOf(2)];
const PARKED_NAMES = new URL('../../../../dist/identity/parked-names.js', import.meta.url).href;

describe('claims', () => {
  test('the first one creates folder and file, for this user only', async (t) => {
    const folder = join(tempFolder(t), 'state');
    const names = await ParkedNames.open(folder);
    assert.deepEqual(readdirSync(join(folder, '..')), [], 'opening creates nothing');
    assert.equal(await names.claim('attic', A), 'owned');
    const path = join(folder, 'parked_nodes');
    assert.match(readFileSync(path, 'utf8'), /^attic sha256\/\/AQEB\S+= \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n$/);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    assert.deepEqual(readdirSync(folder), ['parked_nodes']);
  });

  test('a name stays with its first pin, also after a restart', async (t) => {
    const { folder, text } = stateWith(t, '# kept\n');
    const names = await ParkedNames.open(folder);
    assert.equal(await names.claim('attic', A), 'owned');
    const before = text();
    for (const again of [names, await ParkedNames.open(folder)]) {
      assert.equal(await again.claim('attic', A), 'owned');
      assert.equal(await again.claim('attic', B), 'taken');
    }
    assert.equal(text(), before);
    assert.ok(before.startsWith('# kept\nattic '));
  });

  test('one that changes nothing writes nothing', async (t) => {
    const { folder, path } = stateWith(t, `attic ${A} ${SINCE}\n`);
    const names = await ParkedNames.open(folder);
    const { ino, mtimeNs } = statSync(path, { bigint: true });
    assert.equal(await names.claim('attic', A), 'owned');
    assert.equal(await names.claim('attic', B), 'taken');
    const after = statSync(path, { bigint: true });
    assert.deepEqual([after.ino, after.mtimeNs], [ino, mtimeNs]);
  });

  for (const kind of ['in a folder', 'in memory'] as const) {
    test(`${kind}: a pin has few names, and gets another one for one that is forgotten`, async (t) => {
      const folder = kind === 'in memory' ? undefined : tempFolder(t);
      const names = await ParkedNames.open(folder);
      for (let index = 0; index < NAMES_PER_PIN; index += 1)
        assert.equal(await names.claim(`a${index}`, A), 'owned');
      assert.equal(await names.claim('b', A), 'too-many');
      assert.equal(await names.claim('a3', A), 'owned');
      assert.equal(await names.claim('b', B), 'owned');
      assert.equal(await names.claim('b', A), 'taken');
      assert.equal(await names.claim('a3', B), 'taken');
      if (folder === undefined) return;
      await forgetParkedNames(folder, ['a3']);
      assert.equal(await names.claim('c', A), 'owned');
    });
  }

  test('a relay has a limit', async (t) => {
    const lines = Array.from({ length: MAX_NAMES - 1 }, (_, index) => `n${index} ${A} ${SINCE}\n`).join('');
    const { folder } = stateWith(t, lines);
    const names = await ParkedNames.open(folder);
    assert.equal(await names.claim('last', B), 'owned');
    assert.equal(await names.claim('more', B), 'too-many');
    assert.equal(await names.claim('last', B), 'owned');
  });
});

describe('at once', () => {
  test('of many pins that claim one name, one gets it', async (t) => {
    for (const folder of [tempFolder(t), undefined]) {
      const names = await ParkedNames.open(folder);
      const pins = Array.from({ length: 30 }, (_, index) => pinOf(index));
      const claims = await Promise.all(pins.map((pin) => names.claim('attic', pin)));
      assert.equal(claims.filter((claim) => claim === 'owned').length, 1);
      assert.equal(claims.filter((claim) => claim === 'taken').length, 29);
      const winner = pins[claims.indexOf('owned')];
      assert.ok(winner !== undefined);
      assert.equal(await names.claim('attic', winner), 'owned');
    }
  });

  test('a pin that claims many names gets no more than it may have', async (t) => {
    const folder = tempFolder(t);
    const names = await ParkedNames.open(folder);
    const claims = await Promise.all(Array.from({ length: 30 }, (_, index) => names.claim(`n${index}`, A)));
    assert.equal(claims.filter((claim) => claim === 'owned').length, NAMES_PER_PIN);
    assert.equal((await readParkedNames(folder)).names.length, NAMES_PER_PIN);
  });

  test('several processes that share the folder lose nothing, and agree', async (t) => {
    const { folder } = stateWith(t, '# kept\n');
    const contested = Array.from({ length: NAMES_PER_PIN - 1 }, (_, index) => `n${index}`);
    const code = `
      import { ParkedNames } from ${JSON.stringify(PARKED_NAMES)};
      const [folder, pin, own, ...contested] = process.argv.slice(1);
      const names = await ParkedNames.open(folder);
      const claims = await Promise.all([...contested, own].map((name) => names.claim(name, pin)));
      console.log(JSON.stringify(claims));`;
    const runs = await Promise.all(
      [1, 2, 3, 4].map(async (byte) => {
        const args = ['--input-type=module', '-e', code, folder, pinOf(byte), `own${byte}`, ...contested];
        const child = new Child(t, process.execPath, args);
        assert.equal(await child.ended, 0, child.stderr);
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- printed by the code above
        return JSON.parse(child.stdout) as string[];
      }),
    );
    const list = await readParkedNames(folder);
    for (const [index, name] of contested.entries()) {
      const claims = runs.map((run) => run[index]);
      assert.equal(claims.filter((claim) => claim === 'owned').length, 1);
      assert.equal(claims.filter((claim) => claim === 'taken').length, 3);
      assert.equal(list.lookUp(name)?.pin, pinOf(claims.indexOf('owned') + 1));
    }
    for (const run of runs) assert.equal(run.at(-1), 'owned');
    assert.equal(list.names.length, contested.length + runs.length);
    assert.deepEqual(readdirSync(folder), ['parked_nodes']);
  });
});
