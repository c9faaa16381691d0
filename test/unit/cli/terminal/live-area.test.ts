import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { LiveArea } from '#src/cli/terminal/live-area.js';

const ESCAPE = '\u001b';

/** Simulates a terminal: lines that wrap, and wrap again when the width changes. */
class Screen {
  columns: number;
  writes = 0;
  /** Lines as they were written; the last one holds the cursor, at its beginning or its end. */
  #lines: string[] = [''];

  constructor(columns: number) {
    this.columns = columns;
  }

  get stream(): NodeJS.WriteStream {
    return this as unknown as NodeJS.WriteStream;
  }

  write(text: string): boolean {
    this.writes += 1;
    const body = text.replace(`${ESCAPE}[?2026h`, '').replace(`${ESCAPE}[?2026l`, '');
    // A move up comes first, if any; then everything below is rewritten or erased.
    const up = body.startsWith(`\r${ESCAPE}[`) ? Number.parseInt(body.slice(3), 10) : 0;
    this.#eraseRows(up);
    if (up > 0) assert.ok(body.includes(`${ESCAPE}[J`), 'the rest below is erased');
    const printed = stripVTControlCharacters(body).replace('\r', '');
    const [first = '', ...more] = printed.split('\n');
    this.#lines.push((this.#lines.pop() ?? '') + first, ...more);
    return true;
  }

  /** Removes rows from the end, which must be whole lines. */
  #eraseRows(count: number): void {
    let left = count;
    while (left > 0) {
      assert.equal(this.#lines.pop(), '', 'the cursor is at the beginning of a row');
      left -= Math.max(1, Math.ceil((this.#lines.at(-1) ?? '').length / this.columns));
      this.#lines[this.#lines.length - 1] = '';
    }
    assert.equal(left, 0, 'the cursor went into the middle of a line');
  }

  get shown(): string {
    return this.#lines.join('\n');
  }
}

function start(columns: number): { readonly screen: Screen; readonly area: LiveArea } {
  const screen = new Screen(columns);
  return { screen, area: new LiveArea(screen.stream) };
}

test('lines are replaced, also by more and by fewer lines', () => {
  const { screen, area } = start(20);
  screen.write('$ viaduct\n');
  area.draw(['one', 'two']);
  area.draw(['one', 'two', 'three']);
  assert.equal(screen.shown, '$ viaduct\none\ntwo\nthree\n');
  area.draw(['four']);
  assert.equal(screen.shown, '$ viaduct\nfour\n');
  area.draw([]);
  assert.equal(screen.shown, '$ viaduct\n');
});

test('unchanged lines are not drawn again, and no lines need no write', () => {
  const { screen, area } = start(20);
  area.draw([]);
  assert.equal(screen.writes, 0);
  area.draw(['one']);
  area.draw(['one']);
  assert.equal(screen.writes, 1);
});

test('messages are printed above the lines, which remain', () => {
  const { screen, area } = start(20);
  area.print('first\n');
  area.draw(['one', 'two']);
  area.print('a message that is wider than the screen\n');
  area.print('second\n');
  assert.equal(screen.shown, 'first\na message that is wider than the screen\nsecond\none\ntwo\n');
  assert.equal(screen.writes, 4, 'a message and the lines below it are one write');
  area.draw([]);
  assert.equal(screen.shown, 'first\na message that is wider than the screen\nsecond\n');
});

test('lines that wrap because the terminal became narrower are erased completely', () => {
  const { screen, area } = start(40);
  screen.write('before\n');
  area.draw(['x'.repeat(39), 'y'.repeat(25), 'z']);
  screen.columns = 10;
  area.draw(['short']);
  assert.equal(screen.shown, 'before\nshort\n');
  screen.columns = 40;
  area.draw(['short']);
  assert.equal(screen.shown, 'before\nshort\n');
});

test('after a suspension the lines are drawn below the existing output', () => {
  const { screen, area } = start(20);
  area.draw(['one']);
  screen.write('[1]+ Stopped\n');
  area.forget();
  area.draw(['two']);
  assert.equal(screen.shown, 'one\n[1]+ Stopped\ntwo\n');
});
