import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ViaductError } from 'viaduct';
import { AuthorizedList, formatClient, formatExpiry, parseExpiry } from '#src/identity/authorized-list.js';
import { pinOf } from '../../support/parked.js';

const [A, B] = [pinOf(1), pinOf(2)];

const listOf = (text: string): AuthorizedList => new AuthorizedList('file', text);

test('a line has a pin, a name and options, with comments between', () => {
  const list = listOf(
    `# the lab\n\n${A}\n  ${B}\talice  path=/photos/2024 expires=2026-12-31 # until spring\r\n${pinOf(3)} expires=2026-12-31T12:30Z path=/\n${pinOf(4)} #none\n`,
  );
  assert.deepEqual(
    list.clients.map(({ name, below, expires, line }) => [name, below, expires?.toISOString(), line]),
    [
      [undefined, [], undefined, 3],
      ['alice', ['photos', '2024'], '2026-12-31T00:00:00.000Z', 4],
      [undefined, [], '2026-12-31T12:30:00.000Z', 5],
      [undefined, [], undefined, 6],
    ],
  );
  assert.equal(list.lookUp(B), list.named('alice'));
  assert.equal(list.lookUp(pinOf(9)), undefined);
});

test('a wrong line is named', () => {
  for (const [line, why] of [
    ['alice', 'is not "sha256//PIN [NAME] [path=/PATH] [expires=TIME]": "alice"'],
    [`${A.slice(0, -1)} alice`, 'is not "sha256//PIN'],
    [`${A}alice`, 'is not "sha256//PIN'],
    [`${A} -alice`, 'has no valid name: "-alice"'],
    [`${A} ${B}`, 'has an unknown word: "sha256//Ag'],
    [`${A} a/b`, 'has no valid name: "a/b"'],
    [`${A} ${'a'.repeat(65)}`, 'has no valid name'],
    [`${A} alice bob`, 'has an unknown word: "bob"'],
    [`${A} path=/a alice`, 'has an unknown word: "alice"'],
    [`${A} Path=/a`, 'has an unknown word: "Path=/a"'],
    [`${A} path=/a path=/b`, 'has an option twice: "path=/b"'],
    [`${A} expires=2026-12-31 expires=2026-12-31`, 'has an option twice'],
    [`${A} path=`, 'has no valid path: "path="'],
    [`${A} path=/a#b`, 'has no valid path: "path=/a#b"'],
    [
      `${A} expires=tomorrow`,
      'has no valid time: "expires=tomorrow"; expected 2026-12-31 or 2026-12-31T12:00Z',
    ],
    [`${A} expires=2026-02-30`, 'has no valid time'],
  ] as const)
    assert.throws(
      () => listOf(`# one\n${line}\n`),
      (error) =>
        error instanceof ViaductError &&
        error.code === 'READ_FAILED' &&
        error.message.startsWith(`cannot read file: line 2 ${why}`),
      line,
    );
});

test('pins and names are there once, and the last line has an end', () => {
  assert.throws(() => listOf(`${A} a\n${B} b\n${A} c\n`), /line 3 has the pin of line 1 again/);
  assert.throws(() => listOf(`${A} a\n${B} a\n`), /line 2 has the name "a" of line 1 again/);
  for (const text of [A, `${A}\n${B} path=/photos`, `${A}\n#`, ' '])
    assert.throws(() => listOf(text), /has no end \(LF\), so the file may be incomplete/, text);
  assert.equal(listOf('').clients.length, 0);
});

test('each beginning of a file is refused, or lets in no more than all of it', () => {
  const text = `${A} alice path=/photos/2024 expires=2026-12-31\n${B} bob path=/b\n`;
  const whole = listOf(text);
  for (let length = 0; length < text.length; length += 1) {
    const begin = text.slice(0, length);
    if (!begin.endsWith('\n') && begin !== '') assert.throws(() => listOf(begin), String(length));
    else for (const client of listOf(begin).clients) assert.deepEqual(client, whole.lookUp(client.pin));
  }
});

test('days and times, in UTC', () => {
  for (const [text, shown] of [
    ['2026-12-31', '2026-12-31T00:00Z'],
    ['2028-02-29', '2028-02-29T00:00Z'],
    ['2026-12-31T23:59Z', '2026-12-31T23:59Z'],
    ['2026-12-31T23:59:01Z', '2026-12-31T23:59:01Z'],
  ] as const) {
    const date = parseExpiry(text);
    assert.equal(date && formatExpiry(date), shown);
    assert.deepEqual(parseExpiry(shown), date);
  }
  for (const text of [
    '',
    '2026',
    '2026-13-01',
    '2026-00-01',
    '2027-02-29',
    '2026-12-31T24:00Z',
    '2026-12-31T12:00',
  ])
    assert.equal(parseExpiry(text), undefined, text);
  for (const text of [
    '2026-12-31T12:60Z',
    '2026-12-31t12:00z',
    '2026-12-31 ',
    '26-12-31',
    '2026-12-31T12:00+01:00',
  ])
    assert.equal(parseExpiry(text), undefined, text);
});

test('a changed list keeps its other lines as they are', () => {
  const text = `# lab\n${A} alice  # first\n\n${B}\tbob\n`;
  const client = { pin: A, name: 'al', below: ['a b', 'ü'], expires: new Date('2026-12-31T12:00Z') };
  const line = `${A} al path=/a%20b/%C3%BC expires=2026-12-31T12:00Z`;
  assert.equal(formatClient(client), line);
  assert.equal(listOf(text).textWith(client), `# lab\n${line}\n\n${B}\tbob\n`);
  assert.equal(listOf(text).textWith({ ...client, pin: pinOf(3) }), `${text}${line.replace(A, pinOf(3))}\n`);
  const bob = listOf(text).named('bob');
  assert.equal(bob && listOf(text).textWithout(bob), `# lab\n${A} alice  # first\n\n`);
});
