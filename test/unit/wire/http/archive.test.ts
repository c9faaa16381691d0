import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { archiveAsked, archivePath, leftOutFields, leftOutOf, leftOutText } from '#src/wire/http/archive.js';

describe('what a path asks for', () => {
  for (const [path, kind] of [
    ['/dir/?tar', 'tar'],
    ['/dir/?tar=', 'tar'],
    ['/dir/?sort=size&tar', 'tar'],
    ['/dir/?tar#x', 'tar'],
    ['/dir/?zip', 'zip'],
    ['?tar', 'tar'],
    ['/dir/', undefined],
    ['/tar', undefined],
    ['/dir/#?tar', undefined],
    ['/dir/?q=tar', undefined],
    ['/dir/?tart', undefined],
    ['/dir/?', undefined],
  ] as const)
    test(path, () => assert.equal(archiveAsked(path), kind));
});

test('the path of an archive', () => {
  assert.equal(archivePath('/dir', 'tar'), '/dir/?tar');
  assert.equal(archivePath('/', 'tar'), '/?tar');
  assert.equal(archiveAsked(archivePath('/a/b/', 'tar')), 'tar');
});

const NOTHING = { links: 0, special: 0, unreadable: 0 };

test('what is left out comes back as it was sent', () => {
  for (const leftOut of [
    NOTHING,
    { links: 1, special: 0, unreadable: 0 },
    { links: 2, special: 3, unreadable: 4 },
  ])
    assert.deepEqual(leftOutOf({ fields: leftOutFields(leftOut) }), leftOut);
  assert.deepEqual(leftOutFields(NOTHING), []);
});

test('of what is no such field nothing is left out', () => {
  for (const value of ['', '!', 'links=x', 'links="2"', 'links=-1', 'links=(1 2)', 'links'])
    assert.deepEqual(leftOutOf({ fields: [['Viaduct-Left-Out', value]] }), NOTHING);
});

test('what is left out, for people', () => {
  assert.equal(leftOutText(NOTHING), '');
  assert.equal(
    leftOutText({ links: 1, special: 1, unreadable: 1 }),
    '1 link, 1 that is neither file nor folder, 1 that cannot be read',
  );
  assert.equal(
    leftOutText({ links: 2, special: 2, unreadable: 0 }),
    '2 links, 2 that are neither file nor folder',
  );
});
