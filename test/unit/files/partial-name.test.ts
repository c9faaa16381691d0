import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { test } from 'node:test';
import { isPartialName, partialConflict, partialPathsOf } from '#src/files/partial-name.js';

test('hidden names of partial files are recognized', () => {
  for (const name of ['.viaduct-0123456789abcdef.part', '.VIADUCT-0.part.json', '.viaduct-0.part.lock'])
    assert.ok(isPartialName(name), name);
  for (const name of ['.viaduct', 'x.part', '.viaduct-x.part']) assert.ok(!isPartialName(name), name);
  const { partial, sidecar } = partialPathsOf('folder/x', true);
  for (const path of [partial, sidecar]) assert.ok(isPartialName(basename(path)), path);
});

test('a name that is too long for the suffix gets a hidden one', () => {
  const { partial } = partialPathsOf('x'.repeat(250), false);
  assert.ok(isPartialName(partial));
});

test('the files beside a target are recognized', () => {
  for (const beside of ['x.part', 'x.part.json', 'x.part.json.new', 'x.part.lock', 'x.part.lock.part'])
    assert.deepEqual(partialConflict(['y', beside, 'x']), { target: 'x', beside });
  for (const name of ['x', 'x.partial', 'y.part', 'x.part.jsonl', 'd/x.part'])
    assert.equal(partialConflict(['x', name]), undefined, name);
  assert.deepEqual(partialConflict(['a.part.lock', 'a.part.lock.part']), {
    target: 'a.part.lock',
    beside: 'a.part.lock.part',
  });
});

test('a folder of partial files is compared in linear time', () => {
  // Each with each would be 10 ** 10 comparisons, which take minutes.
  assert.equal(partialConflict(Array.from({ length: 100_000 }, (_, index) => `f${index}.part`)), undefined);
});
