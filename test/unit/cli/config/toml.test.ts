import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { parse } from 'smol-toml';
import { parseToml } from '#src/cli/config/toml.js';
import { failureOf } from '../../../support/failures.js';

/** `LINE key = value` for each key. */
async function keysOf(text: string): Promise<string[]> {
  const found = await parseToml(text, 'FILE');
  return found.map(({ path, value, line }) => `${line} ${path.join('|')} = ${JSON.stringify(value)}`);
}

const SPREAD = `# a comment

[route.lab]          # a header
via = [
  "a:1", # one
  "b:2"
]
[ "get" ]
text = """
[not.a.header]
not = 'a key'
"""
a.b = 1
'quoted key' = true
inline = { x = 1, y = { z = [] } }
`;

describe('the keys of a TOML file', () => {
  test('have their lines', async () => {
    assert.deepEqual(await keysOf(SPREAD), [
      '3 route|lab = {}',
      '4 route|lab|via = ["a:1","b:2"]',
      '8 get = {}',
      '9 get|text = "[not.a.header]\\nnot = \'a key\'\\n"',
      '13 get|a|b = 1',
      '14 get|quoted key = true',
      '15 get|inline|x = 1',
      '15 get|inline|y|z = []',
    ]);
  });

  test('have the same lines with CRLF', async () => {
    assert.deepEqual(
      (await keysOf(SPREAD.replaceAll('\n', '\r\n'))).map((key) => key.split(' ', 2)),
      (await keysOf(SPREAD)).map((key) => key.split(' ', 2)),
    );
  });

  test('of an empty file, and of one of comments, are none', async () => {
    assert.deepEqual(await keysOf(''), []);
    assert.deepEqual(await keysOf('# x\n\n'), []);
  });

  test('an array of tables is no table', async () => {
    assert.deepEqual(await keysOf('[[get]]\nx = 1\n'), ['1 get = {}', '2 get|x = 1']);
  });

  for (const [text, message] of [
    ['a = 1\nb = \n', /^FILE:2: /],
    ['[get]\nx = 1\nx = 2\n', /^FILE:3: /],
    ['a = "x\n', /^FILE:1: /],
    ['a = """\nx\n', /^FILE:\d: /],
    ['[get\n', /^FILE:1: /],
  ] as const) {
    test(`the error in ${JSON.stringify(text)} names its line, in one line`, async () => {
      const error = await failureOf(parseToml(text, 'FILE'));
      assert.equal(error.code, 'BAD_CONFIG');
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /\n/);
    });
  }

  test('any text is parsed, or refused with a line', async () => {
    const text = fc
      .array(
        fc.constantFrom('[', ']', 'a', 'b', '.', '=', ' ', '"', "'", '{', '}', ',', '1', '\n', '#', '"""'),
      )
      .map((parts) => parts.join(''));
    await fc.assert(
      fc.asyncProperty(text, async (toml) => {
        const keys = await parseToml(toml, 'FILE').catch((error: unknown) => error);
        if (keys instanceof Error) assert.match(keys.message, /^FILE:\d+: [^\n]+$/);
        else
          assert.ok(Array.isArray(keys) && (keys.length > 0 || Object.keys(parse(toml)).length === 0), toml);
      }),
    );
  });
});
