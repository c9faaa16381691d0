import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { parkPermission, parseParkRules } from '#src/identity/park-rules.js';
import { failsWell, nearlyValid } from '../../support/arbitraries.js';
import { thrownBy } from '../../support/failures.js';
import { pinOf } from '../../support/parked.js';

const [A, B, C] = [pinOf(1), pinOf(2), pinOf(3)];

test('any and none', () => {
  assert.equal(parkPermission('any', A, 'attic'), 'yes');
  assert.equal(parkPermission('any', A, undefined), 'yes');
  assert.equal(parkPermission('none', A, 'attic'), 'no-parking');
});

test('pins of a file, and the names that only one of them may take', () => {
  const rules = parseParkRules(
    `\uFEFF# Nodes of the lab\n\n${A} Attic cellar # Anna\r\n  \t${B}\n # ${C}\n${A}\tnas   attic\n${B} #shed\n`,
    'nodes.txt',
  );
  for (const [pin, name, expected] of [
    [A, undefined, 'yes'],
    [A, 'attic', 'yes'],
    [A, 'cellar', 'yes'],
    [A, 'nas', 'yes'],
    [A, 'shed', 'yes'],
    [B, undefined, 'yes'],
    [B, 'shed', 'yes'],
    [B, 'attic', 'reserved'],
    [B, 'nas', 'reserved'],
    [C, undefined, 'unknown-pin'],
    [C, 'attic', 'unknown-pin'],
    [C, 'shed', 'unknown-pin'],
  ] as const) {
    assert.equal(parkPermission(rules, pin, name), expected, `${pin} ${name}`);
  }
});

test('a file without pins lets no node park', () => {
  for (const text of ['', '\n', '# none yet\n']) {
    assert.equal(parkPermission(parseParkRules(text, 'x'), A, undefined), 'unknown-pin');
  }
});

describe('a line that is wrong is an error that names it', () => {
  for (const [what, text, message] of [
    [
      'no pin',
      `# x\n\nattic ${A}\n`,
      'nodes: line 3: "attic" is not a pin; expected sha256// and 44 characters of base64',
    ],
    ['half of a pin', `${A.slice(0, 30)}\n`, /^nodes: line 1: "sha256\/\/\w+" is not a pin; /],
    ['a name that is none', `${A}\r\n${B} a_b\r\n`, /^nodes: line 2: "a_b" is not a name; expected 1 to 15 /],
    ['two pins', `${A} ${B}\n`, /^nodes: line 1: "sha256\/\/[^"]+" is not a name; /],
    ['control characters', `${A} \u001b[2J\n`, /^nodes: line 1: "\\x1b\[2J" is not a name; /],
    [
      'a name with two pins',
      `${A} attic\n${A} attic\n${B} shed ATTIC\n`,
      'nodes: line 3: line 1 has the name "attic" for another pin',
    ],
  ] as const) {
    test(what, () => {
      const error = thrownBy(() => parseParkRules(text, 'nodes'));
      assert.equal(error?.code, 'USAGE');
      if (typeof message === 'string') assert.equal(error.message, message);
      else assert.match(error.message, message);
    });
  }

  test('control characters in the name of the file', () => {
    assert.match(String(thrownBy(() => parseParkRules('x', 'a\u001bb'))?.message), /^a\\x1bb: line 1: /);
  });
});

test('whatever the text, nothing but a ViaductError is thrown', () => {
  const words = fc.constantFrom(A, B, 'attic', 'shed', '#', ' ', '\n', '\r\n', '\0', '\u2028');
  const texts = fc.array(fc.oneof(words, nearlyValid)).map((all) => all.join(' '));
  fc.assert(fc.property(texts, (text) => failsWell(() => parseParkRules(text, 'x'))));
});

test('a name stands for one pin, in whatever order and case the lines are', () => {
  const lines = fc.array(
    fc.tuple(fc.constantFrom(A, B, C), fc.array(fc.constantFrom('a', 'A', 'b', 'c'), { maxLength: 2 })),
  );
  fc.assert(
    fc.property(lines, (all) => {
      const text = all.map(([pin, names]) => [pin, ...names].join(' ')).join('\n');
      const owners = new Map<string, string>();
      let isAmbiguous = false;
      for (const [pin, names] of all) {
        for (const name of names.map((word) => word.toLowerCase())) {
          isAmbiguous ||= (owners.get(name) ?? pin) !== pin;
          owners.set(name, pin);
        }
      }
      if (isAmbiguous) {
        assert.equal(thrownBy(() => parseParkRules(text, 'x'))?.code, 'USAGE');
        return;
      }
      const rules = parseParkRules(text, 'x');
      for (const pin of [A, B, C]) {
        for (const name of ['a', 'b', 'c']) {
          const known = (owners.get(name) ?? pin) === pin ? 'yes' : 'reserved';
          const expected = all.some(([listed]) => listed === pin) ? known : 'unknown-pin';
          assert.equal(rules.permits(pin, name), expected);
        }
      }
    }),
  );
});
