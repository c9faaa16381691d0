import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ParkedNames, forgetParkedNames } from '#src/identity/parked-names.js';
import { failureOf } from '../../support/failures.js';
import { SINCE, pinOf, stateWith } from '../../support/parked.js';

const [A, B] = [pinOf(1), pinOf(2)];

describe('a file that changes while the relay runs is read again', () => {
  test('a forgotten name is free, and goes to the next pin', async (t) => {
    const { folder } = stateWith(t, `# kept\nattic ${A} ${SINCE}\nshed ${A} ${SINCE}\n`);
    const names = await ParkedNames.open(folder);
    assert.deepEqual(await forgetParkedNames(folder, ['attic']), []);
    assert.equal(await names.claim('attic', B), 'owned');
    assert.equal(await names.claim('attic', A), 'taken');
    assert.equal(await names.claim('shed', A), 'owned');
  });

  test('all of the names are forgotten, or none', async (t) => {
    const { folder, text } = stateWith(t, `# kept\nattic ${A} ${SINCE}\nshed ${A} ${SINCE}\n`);
    const before = text();
    assert.deepEqual(await forgetParkedNames(folder, ['attic', 'cellar', 'shed', 'x']), ['cellar', 'x']);
    assert.equal(text(), before);
    assert.deepEqual(await forgetParkedNames(folder, ['shed', 'attic', 'shed']), []);
    assert.equal(text(), '# kept\n');
    const empty = join(folder, 'none');
    assert.deepEqual(await forgetParkedNames(empty, ['attic']), ['attic']);
    assert.deepEqual(readdirSync(folder), ['parked_nodes'], 'nothing was created');
  });

  test('an edit of the same size and time is seen', async (t) => {
    const { folder, path } = stateWith(t, `attic ${A} ${SINCE}\n`);
    const names = await ParkedNames.open(folder);
    const { atime, mtime } = statSync(path);
    writeFileSync(`${path}.new`, `attic ${B} ${SINCE}\n`, { mode: 0o600 });
    utimesSync(`${path}.new`, atime, mtime);
    renameSync(`${path}.new`, path);
    assert.equal(await names.claim('attic', B), 'owned');
  });

  test('without the file no name is owned', async (t) => {
    const { folder, path } = stateWith(t, `attic ${A} ${SINCE}\n`);
    const names = await ParkedNames.open(folder);
    rmSync(path);
    assert.equal(await names.claim('attic', B), 'owned');
  });

  test('while a line is wrong all claims fail, and the file stays as it is', async (t) => {
    const { folder, path, text } = stateWith(t, `attic ${A} ${SINCE}\n`);
    const names = await ParkedNames.open(folder);
    appendFileSync(path, 'shed\n');
    const damaged = text();
    const acts = [
      () => names.claim('attic', A),
      () => names.claim('cellar', A),
      () => ParkedNames.open(folder),
      () => forgetParkedNames(folder, ['attic']),
    ];
    for (const act of acts) {
      const { code, message } = await failureOf(act());
      assert.equal(code, 'READ_FAILED');
      const why = 'line 2 is not "NAME sha256//PIN TIME": "shed"; correct or remove the line';
      assert.equal(message, `cannot read ${path}: ${why}`);
    }
    assert.equal(text(), damaged);
    writeFileSync(path, `attic ${A} ${SINCE}\n`);
    assert.equal(await names.claim('attic', A), 'owned');
  });

  const unsafe: Record<string, readonly [(path: string, folder: string) => void, RegExp]> = {
    'writable by others': [
      (path) => chmodSync(path, 0o622),
      /parked_nodes: it is writable by others; run: chmod go-w \/\S+\/parked_nodes$/,
    ],
    'a hard link': [(path, folder) => linkSync(path, join(folder, 'other')), /: it has another name too/],
    'a folder': [
      (path) => {
        rmSync(path);
        mkdirSync(path);
      },
      /: it is not a file$/,
    ],
    'a link': [
      (path, folder) => {
        renameSync(path, join(folder, 'other'));
        symlinkSync('other', path);
      },
      /: it is a link$/,
    ],
    'in a folder that others may write to': [
      (path, folder) => {
        chmodSync(folder, 0o777);
        utimesSync(path, 1, 1);
      },
      /^cannot use the state folder \/\S+: it is writable by others; run: chmod go-w /,
    ],
  };
  for (const [what, [make, why]] of Object.entries(unsafe)) {
    test(`one that is not safe to use is refused: ${what}`, async (t) => {
      const { folder, path } = stateWith(t, `attic ${A} ${SINCE}\n`);
      const names = await ParkedNames.open(folder);
      make(path, folder);
      for (const act of [() => names.claim('attic', A), () => ParkedNames.open(folder)]) {
        const { code, message } = await failureOf(act());
        assert.equal(code, 'READ_FAILED');
        assert.match(message, why);
      }
    });
  }
});
