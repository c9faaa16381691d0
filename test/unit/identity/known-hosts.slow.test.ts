import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import * as fc from 'fast-check';
import { addKnownHost, removeKnownHost } from '#src/identity/change-known-hosts.js';
import { KnownHosts, readKnownHosts } from '#src/identity/known-hosts.js';
import { anyCharacter, failsWell } from '../../support/arbitraries.js';
import { failureOf } from '../../support/failures.js';
import { tempFolder } from '../../support/temp.js';

const pinOf = (byte: number): string => `sha256//${Buffer.alloc(32, byte).toString('base64')}`;
const [A, B] = [pinOf(1), pinOf(2)];

const isRoot = process.geteuid?.() === 0;
const NOBODY = 65_534;

/** A state folder with a `known_hosts`. */
function stateWith(t: TestContext, text: string | Buffer) {
  const folder = tempFolder(t);
  const path = join(folder, 'known_hosts');
  writeFileSync(path, text, { mode: 0o600 });
  return { folder, path, text: () => readFileSync(path, 'utf8') };
}

describe('the format', () => {
  const text = `# Hosts of the lab\n\n  h1.example:1 ${A}\nH2.Example:2\t${B}   the old one, \t soon gone  \r\n #h3:3 x\nh1.example:1 ${B}\n`;
  const known = new KnownHosts('/known_hosts', text);

  test('lines with name, pin and comment; blank lines; lines that begin with #', () => {
    assert.deepEqual(known.hosts, [
      { name: 'h1.example:1', pin: A, comment: undefined, line: 3 },
      { name: 'h2.example:2', pin: B, comment: 'the old one, \t soon gone', line: 4 },
      { name: 'h1.example:1', pin: B, comment: undefined, line: 6 },
    ]);
    assert.deepEqual(
      known.lookUp('h1.example:1').map(({ pin }) => pin),
      [A, B],
    );
    assert.deepEqual(known.lookUp('h3:3'), []);
    assert.deepEqual(known.namesOf(B), ['h2.example:2', 'h1.example:1']);
  });

  test('a change keeps all other lines as they are', () => {
    assert.equal(known.textWith('h4:4', A), `${text}h4:4 ${A}\n`);
    assert.equal(
      known.textWithout('h1.example:1'),
      `# Hosts of the lab\n\nH2.Example:2\t${B}   the old one, \t soon gone  \r\n #h3:3 x\n`,
    );
    assert.equal(new KnownHosts('', '').textWith('h:1', A), `h:1 ${A}\n`);
    assert.equal(new KnownHosts('', '\n').textWith('h:1', A), `\nh:1 ${A}\n`);
    assert.equal(new KnownHosts('', `x:1 ${A}`).textWith('h:1', A), `x:1 ${A}\nh:1 ${A}\n`);
  });

  test('whatever the text, nothing but a ViaductError is thrown', () => {
    const words = fc.constantFrom(
      'h:1',
      A,
      '#',
      ' ',
      '\t',
      '\n',
      '\r\n',
      '\0',
      'h1:1/@[fe80::1%eth0]:2',
      '~x',
      '/@',
    );
    const texts = fc
      .array(fc.oneof(words, fc.string({ unit: anyCharacter, maxLength: 3 })))
      .map((all) => all.join(''));
    fc.assert(fc.property(texts, (some) => failsWell(() => new KnownHosts('x', some))));
  });
});

describe('a line that is wrong is an error, never an unknown host', () => {
  for (const [what, line, why] of [
    ['no pin', 'h1:1', /is not "NAME sha256\/\/PIN": "h1:1"/],
    ['half of a pin', `h1:1 ${A.slice(0, 30)}`, /is not "NAME sha256/],
    ['a pin of another kind', 'h1:1 SHA256:abcdef', /is not "NAME sha256/],
    ['two names', `h1:1 h2:1 ${A}`, /is not "NAME sha256/],
    [
      'names with commas, as ssh has them',
      `h1:1,h2:1 ${A}`,
      /has no valid name: "1,h2:1" is not a port|has no valid name/,
    ],
    ['a name without port', `h1 ${A}`, /has no valid name: "h1" is not the name of a host; write host:port/],
    ['a URL', `http://h1:1 ${A}`, /has no valid name/],
    ['control characters', `\u001b[2J:1 ${A}`, /has no valid name: "\\x1b\[2J:1" is not/],
    ['NULs', '\0'.repeat(200), /is not "NAME sha256\/\/PIN": "(\\x00)+…"/],
  ] as const) {
    test(what, async (t) => {
      const { folder, path, text } = stateWith(t, `# x\nh:1 ${A}\n${line}\n`);
      const before = text();
      for (const act of [
        () => readKnownHosts(folder),
        () => addKnownHost(folder, 'h9:9', A),
        () => removeKnownHost(folder, 'h:1'),
      ]) {
        const { code, message } = await failureOf(act());
        assert.equal(code, 'READ_FAILED');
        assert.ok(message.startsWith(`cannot read ${path}: line 3 `), message);
        assert.match(message, why);
        assert.ok(message.endsWith('; correct or remove the line'), message);
        assert.doesNotMatch(message, /\p{Cc}/u);
      }
      assert.equal(text(), before);
      assert.deepEqual(readdirSync(folder), ['known_hosts']);
    });
  }

  test('a file that was cut at any byte is whole up to a line, or an error', () => {
    const whole = `h1.example:1 ${A}\nh2.example:2 ${B}\n`;
    for (let length = 0; length < whole.length; length += 1) {
      const cut = whole.slice(0, length);
      try {
        const names = new KnownHosts('x', cut).hosts.map(({ name }) => name);
        assert.deepEqual(
          names,
          ['h1.example:1', 'h2.example:2'].slice(0, cut.split(' sha256').length - 1),
          cut,
        );
      } catch (error) {
        assert.match(String(error), /cannot read x: line [12] is not/);
      }
    }
  });

  test('random bytes', async (t) => {
    const { folder } = stateWith(t, randomBytes(10_000));
    assert.equal((await failureOf(readKnownHosts(folder))).code, 'READ_FAILED');
  });
});

describe('a file that is not safe to use is refused', () => {
  const cases: Record<string, readonly [(path: string, folder: string) => void, RegExp, root?: true]> = {
    'a link': [(path, folder) => symlinkSync(join(folder, 'victim'), path), /it is a link$/],
    'a folder': [(path) => mkdirSync(path), /it is not a file$/],
    'a hard link': [(path, folder) => linkSync(join(folder, 'victim'), path), /it has another name too/],
    'writable by others': [
      (path) => {
        writeFileSync(path, '');
        chmodSync(path, 0o622);
      },
      /it is writable by others; run: chmod go-w \/\S+\/known_hosts$/,
    ],
    'of another user': [
      (path) => {
        writeFileSync(path, '');
        chownSync(path, NOBODY, NOBODY);
      },
      /it belongs to another user$/,
      true,
    ],
    'in a folder that others may write to': [
      (_, folder) => chmodSync(folder, 0o777),
      /^cannot use the state folder \/\S+: it is writable by others; run: chmod go-w \/\S+$/,
    ],
  };
  for (const [what, [make, why, needsRoot]] of Object.entries(cases)) {
    test(what, { skip: needsRoot && !isRoot && 'needs root' }, async (t) => {
      const folder = tempFolder(t);
      writeFileSync(join(folder, 'victim'), `h:1 ${A}\n`);
      make(join(folder, 'known_hosts'), folder);
      for (const act of [() => readKnownHosts(folder), () => addKnownHost(folder, 'h9:9', A)]) {
        const { code, message } = await failureOf(act());
        assert.equal(code, 'READ_FAILED');
        assert.match(message, why);
      }
      assert.equal(readFileSync(join(folder, 'victim'), 'utf8'), `h:1 ${A}\n`);
    });
  }
});

describe('changes', () => {
  test('a first one creates folder and file, for this user only', async (t) => {
    const folder = join(tempFolder(t), 'state');
    assert.deepEqual((await readKnownHosts(folder)).hosts, []);
    assert.ok(await addKnownHost(folder, 'h:1', A));
    assert.equal(readFileSync(join(folder, 'known_hosts'), 'utf8'), `h:1 ${A}\n`);
    assert.equal(statSync(join(folder, 'known_hosts')).mode & 0o777, 0o600);
  });

  test('a known name keeps its pin', async (t) => {
    const { folder, text } = stateWith(t, `h:1 ${A} comment\n`);
    assert.equal(await addKnownHost(folder, 'h:1', A), true);
    assert.equal(await addKnownHost(folder, 'h:1', B), false);
    assert.equal(text(), `h:1 ${A} comment\n`);
    assert.equal(await removeKnownHost(folder, 'h:1'), 1);
    assert.equal(await removeKnownHost(folder, 'h:1'), 0);
    assert.equal(text(), '');
    assert.equal(await addKnownHost(folder, 'h:1', B), true);
    assert.equal(text(), `h:1 ${B}\n`);
  });

  test('many at once lose nothing, and leave no other files', async (t) => {
    const { folder, text } = stateWith(t, '# kept\n');
    const names = Array.from({ length: 16 }, (_, index) => `h${index}:1`);
    await Promise.all(names.map((name) => addKnownHost(folder, name, A)));
    assert.deepEqual(
      text().split('\n').toSorted(),
      ['', '# kept', ...names.map((name) => `${name} ${A}`)].toSorted(),
    );
    await Promise.all([
      ...names.slice(0, 8).map((name) => removeKnownHost(folder, name)),
      ...names.slice(8).map((name) => addKnownHost(folder, name, B)),
    ]);
    assert.equal((await readKnownHosts(folder)).hosts.length, 8);
    assert.deepEqual(readdirSync(folder), ['known_hosts']);
  });

  test('of two pins for one name at once, one is kept', async (t) => {
    const { folder } = stateWith(t, '');
    const kept = await Promise.all([A, B].map((pin) => addKnownHost(folder, 'h:1', pin)));
    assert.deepEqual(kept.filter(Boolean), [true]);
    assert.equal((await readKnownHosts(folder)).hosts.length, 1);
  });
});
