import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { ProgressDisplay } from '#src/cli/terminal/display.js';

const ESCAPE = '\u001b';

process.env['TERM'] = 'xterm';

/** A terminal that keeps its output. */
class FakeTerminal {
  isTTY = true;
  columns = 80;
  readonly rows = 24;
  colors = false;
  output = '';
  readonly #watchers = new Set<() => void>();

  get stream(): NodeJS.WriteStream {
    return this as unknown as NodeJS.WriteStream;
  }

  hasColors(): boolean {
    return this.colors;
  }

  write(text: string): boolean {
    this.output += text;
    for (const watcher of this.#watchers) watcher();
    this.#watchers.clear();
    return true;
  }

  async until(look: (output: string) => boolean): Promise<void> {
    while (!look(stripVTControlCharacters(this.output))) {
      await new Promise<void>((resolve) => this.#watchers.add(resolve));
    }
  }
}

function open(t: TestContext, terminal: FakeTerminal, wanted?: boolean): ProgressDisplay {
  const display = new ProgressDisplay(terminal.stream, wanted);
  t.after(() => display.close());
  return display;
}

test('two transfers, their total, a message above, all erased at the end', async (t) => {
  const terminal = new FakeTerminal();
  const display = open(t, terminal);
  const first = display.add('first');
  const second = display.add(`se${ESCAPE}[2Jcond`);
  first.update({ phase: 'downloading', bytes: 50, size: 100 });
  await terminal.until((output) => /first +50% .*\nse\\x1b\[2Jcond .*connecting\n0\/2 files /.test(output));
  terminal.output = '';
  display.message('something happened');
  assert.match(stripVTControlCharacters(terminal.output), /^\rsomething happened\nfirst +50%/);
  first.done();
  second.update({ phase: 'waiting', retries: 1, waitMs: 60_000 });
  await terminal.until((output) => /se\\x1b\[2Jcond .*retrying in 60 s +1 retry\n1\/2 files /.test(output));
  terminal.output = '';
  display.close();
  assert.equal(stripVTControlCharacters(terminal.output), '\r');
  assert.ok(terminal.output.includes(`${ESCAPE}[2A${ESCAPE}[J`), 'both lines are erased');
  display.message('the end');
  assert.ok(terminal.output.endsWith('the end\n'));
});

test('nothing is drawn during a pause', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  const terminal = new FakeTerminal();
  const display = open(t, terminal);
  const task = display.add('first');
  t.mock.timers.tick(100);
  await terminal.until((output) => output.includes('first'));
  const resume = display.pause();
  terminal.output = '';
  task.update({ phase: 'downloading', bytes: 50, size: 100 });
  t.mock.timers.tick(1000);
  assert.equal(terminal.output, '');
  resume();
  t.mock.timers.tick(100);
  assert.match(stripVTControlCharacters(terminal.output), /first +50%/);
});

test('a finished transfer is counted once', async (t) => {
  const terminal = new FakeTerminal();
  const display = open(t, terminal);
  display.expect(3);
  const first = display.add('first');
  first.done();
  first.done();
  await terminal.until((output) => output.includes('1/3 files'));
});

test('colors only if the terminal supports them', async (t) => {
  for (const colors of [true, false]) {
    const terminal = new FakeTerminal();
    terminal.colors = colors;
    const display = open(t, terminal);
    display.add('file').update({ phase: 'waiting', waitMs: 1000 });
    await terminal.until((output) => output.includes('retrying'));
    assert.equal(terminal.output.includes(`${ESCAPE}[33m`), colors);
    display.close();
  }
});

test('SIGCONT: the drawn lines remain and are drawn again below', async (t) => {
  const terminal = new FakeTerminal();
  const display = open(t, terminal);
  const task = display.add('file');
  await terminal.until((output) => output.includes('connecting'));
  terminal.output = '';
  process.emit('SIGCONT');
  task.update({ phase: 'verifying' });
  await terminal.until((output) => output.includes('verifying'));
  assert.ok(!terminal.output.includes(`${ESCAPE}[1A`));
});

const silent: readonly (readonly [string, (terminal: FakeTerminal) => boolean | undefined])[] = [
  ['a pipe', (terminal) => void (terminal.isTTY = false)],
  ['a terminal without a width', (terminal) => void (terminal.columns = 0)],
  ['a terminal where it is not wanted', () => false],
  ['a dumb terminal', () => void (process.env['TERM'] = 'dumb')],
];
for (const [what, prepare] of silent) {
  test(`on ${what} messages are printed as plain lines, and nothing is drawn`, (t) => {
    const terminal = new FakeTerminal();
    t.after(() => (process.env['TERM'] = 'xterm'));
    const display = open(t, terminal, prepare(terminal));
    const task = display.add('file');
    task.update({ phase: 'downloading', bytes: 1 });
    display.message('one');
    task.done();
    display.close();
    display.message('two');
    assert.equal(terminal.output, 'one\ntwo\n');
  });
}

test('a transfer that ends before the first frame draws nothing', (t) => {
  const terminal = new FakeTerminal();
  const display = open(t, terminal);
  display.add('file').update({ phase: 'downloading', bytes: 1 });
  display.close();
  assert.equal(terminal.output, '');
});

/** A question was overwritten by the lines of other transfers, and not shown again. */
test('lines are held back while anything uses the terminal, and printed in order afterwards', (t) => {
  const terminal = new FakeTerminal();
  const display = open(t, terminal);
  const [first, second] = [display.pause(), display.pause()];
  terminal.write('first question? ');
  display.message('one');
  display.around(() => terminal.write('two\n'));
  first();
  first();
  display.message('three');
  const during = terminal.output;
  assert.equal(during, 'first question? ');
  second();
  display.message('four');
  assert.equal(terminal.output, 'first question? one\ntwo\nthree\nfour\n');
});

test('lines that are held back are not lost at the end', (t) => {
  const terminal = new FakeTerminal();
  const display = open(t, terminal);
  display.pause();
  display.message('one');
  display.close();
  assert.equal(terminal.output, 'one\n');
});
