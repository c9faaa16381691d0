import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { shownName } from '#src/node/origin/listing/shown-name.js';

describe('a name is shown so that people can read it', () => {
  for (const [name, shown] of [
    ['größe 文件 ملف', 'größe 文件 ملف'],
    [' spaces around ', ' spaces around '],
    ['bad\udcff', 'bad\\xff'],
    ['\u202etxt.exe', '\\u{202e}txt.exe'],
    ['new\nline', 'new\\x0aline'],
    [' ', '\\u{20}'],
    ['\u00a0\u200b', '\\u{a0}\\u{200b}'],
  ] as const) {
    test(shown, () => assert.equal(shownName(name), shown));
  }
});
