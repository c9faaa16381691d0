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

  test('have their lines behind brackets and quotes in strings and comments', async () => {
    const text = String.raw`a = [ # ]
  "[", '{', # "
]
b = '''
[[''''' # '
c = """
\"""] x"" # \\
"""""
d = "\"[" # [
e = '\' # {
f = 1`;
    const lines = (await keysOf(text)).map((key) => key.split(' ', 2).join(' '));
    assert.deepEqual(lines, ['1 a', '4 b', '6 c', '9 d', '10 e', '11 f']);
  });

  test('of a list with very many lines take time in proportion to them', async () => {
    // With each line parsed once more for each line after it, this took minutes.
    const text = `a = [\n${'"x",\n'.repeat(60_000)}]\nb = """${'\n'.repeat(200_000)}"""\nc = 1\n`;
    assert.match((await keysOf(text)).at(-1) ?? '', /^260004 c = 1$/);
  });

  test('are cut off where they are deeper than any that there is', async () => {
    const deep = 'a.'.repeat(100_000);
    for (const text of [`${deep}b = 1`, `[${deep}b]`]) {
      const [key, ...more] = await parseToml(text, 'FILE');
      assert.deepEqual([key?.path.join('.'), more.length], ['a.a.a.a.a.a.a.a', 0]);
    }
  });

  for (const [text, message] of [
    ['a = 1\nb = \n', /^FILE:2: /],
    ['[get]\nx = 1\nx = 2\n', /^FILE:3: /],
    ['a = "x\n', /^FILE:1: /],
    ['a = """\nx\n', /^FILE:\d: /],
    ['[get\n', /^FILE:1: /],
    ['\n[[get]]\nx = 1\n', /^FILE:2: write \[get\]; there are no lists of tables$/],
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
