import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { MAX_NAMES, NAMES_PER_PIN, ParkedList } from '#src/identity/parked-list.js';
import { anyCharacter, failsWell } from '../../support/arbitraries.js';
import { thrownBy } from '../../support/failures.js';
import { SINCE, pinOf } from '../../support/parked.js';

const [A, B] = [pinOf(1), pinOf(2)];
const listOf = (text: string): ParkedList => new ParkedList('/parked_nodes', text);

const TEXT = `# Nodes of the lab\n\nattic ${A} ${SINCE}\n #shed x\nCellar\t${B}  2026-11-27T18:00:00.123Z \r\n`;

test('lines with name, pin and time; blank lines; lines that begin with #', () => {
  const list = listOf(TEXT);
  assert.deepEqual(list.names, [
    { name: 'attic', pin: A, since: SINCE, line: 3 },
    { name: 'cellar', pin: B, since: '2026-11-27T18:00:00.123Z', line: 5 },
  ]);
  assert.equal(list.lookUp('cellar')?.pin, B);
  assert.equal(list.lookUp('shed'), undefined);
});

test('a change keeps all other lines as they are', () => {
  const list = listOf(TEXT);
  assert.equal(list.textWith('shed', B, new Date(0)), `${TEXT}shed ${B} 1970-01-01T00:00:00Z\n`);
  assert.equal(list.textWithout(['attic', 'unknown']), TEXT.split('\n').toSpliced(2, 1).join('\n'));
  assert.equal(list.textWithout(['attic', 'cellar']), '# Nodes of the lab\n\n #shed x\n');
  const withoutEnd = listOf(`attic ${A} ${SINCE}`);
  assert.equal(withoutEnd.textWith('shed', B, new Date(0)).split('\n').length, 3);
});

test('a name belongs to its pin; one pin owns few names, and the relay has a limit', () => {
  const full = Array.from({ length: NAMES_PER_PIN }, (_, index) => `a${index} ${A} ${SINCE}\n`).join('');
  const list = listOf(full);
  assert.equal(list.judge('a0', A), 'owned');
  assert.equal(list.judge('a0', B), 'taken');
  assert.equal(list.judge('b0', A), 'too-many');
  assert.equal(list.judge('b0', B), 'free');
  assert.equal(listOf(list.textWithout(['a0'])).judge('b0', A), 'free');

  const lineOf = (index: number): string => `n${index} ${A} ${SINCE}\n`;
  const most = listOf(Array.from({ length: MAX_NAMES }, (_, index) => lineOf(index)).join(''));
  assert.equal(most.judge('n1', A), 'owned');
  assert.equal(most.judge('n1', B), 'taken');
  assert.equal(most.judge('b0', B), 'too-many');
  assert.equal(listOf(most.textWithout(['n1'])).judge('b0', B), 'free');
});

describe('a line that is wrong is an error, never a free name', () => {
  for (const [what, line, why] of [
    ['no pin', `shed ${SINCE}`, `is not "NAME sha256//PIN TIME": "shed ${SINCE}"`],
    ['half of a pin', `shed ${A.slice(0, 20)} ${SINCE}`, 'is not "NAME sha256//PIN TIME": "shed sha256//'],
    ['no time', `shed ${A}`, 'is not "NAME sha256//PIN TIME": "shed sha256//'],
    ['another form of time', `shed ${A} 2026-11-27`, 'is not "NAME sha256//PIN TIME": "shed sha256//'],
    ['a time that does not exist', `shed ${A} 2026-13-27T18:00:00Z`, 'is not "NAME sha256//PIN TIME": '],
    ['a further word', `shed ${A} ${SINCE} x`, 'is not "NAME sha256//PIN TIME": "shed sha256//'],
    ['a name that is none', `my_shed ${A} ${SINCE}`, 'has no valid name: "my_shed" is not a name; expected '],
    ['a name for two pins', `ATTIC ${B} ${SINCE}`, 'has the name "attic" of line 1 again'],
    ['the same line twice', `attic ${A} ${SINCE}`, 'has the name "attic" of line 1 again'],
    ['NULs', '\0'.repeat(200), 'is not "NAME sha256//PIN TIME": "\\x00\\x00'],
  ] as const) {
    test(what, () => {
      const error = thrownBy(() => listOf(`attic ${A} ${SINCE}\n# x\n${line}\n`));
      assert.equal(error?.code, 'READ_FAILED');
      assert.ok(error.message.startsWith(`cannot read /parked_nodes: line 3 ${why}`), error.message);
      assert.ok(error.message.endsWith('; correct or remove the line'), error.message);
      assert.doesNotMatch(error.message, /\p{Cc}/u);
    });
  }

  test('a file that was cut at any byte is whole up to a line, or an error', () => {
    const whole = `attic ${A} ${SINCE}\nshed ${B} ${SINCE}\n`;
    for (let length = 0; length < whole.length; length += 1) {
      const cut = whole.slice(0, length);
      const names: string[] = [];
      const error = thrownBy(() => names.push(...listOf(cut).names.map(({ name }) => name)));
      if (error === undefined) assert.deepEqual(names, ['attic', 'shed'].slice(0, cut.split('Z').length - 1));
      else assert.match(error.message, /line [12] is not/);
    }
  });

  test('whatever the text, nothing but a ViaductError is thrown', () => {
    const words = fc.constantFrom('attic', A, SINCE, '#', ' ', '\t', '\n', '\r\n', '\0');
    const texts = fc
      .array(fc.oneof(words, fc.string({ unit: anyCharacter, maxLength: 3 })))
      .map((all) => all.join(''));
    fc.assert(fc.property(texts, (text) => failsWell(() => listOf(text))));
  });
});
