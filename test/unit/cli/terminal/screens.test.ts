import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import * as fc from 'fast-check';
import stringWidth from 'string-width';
import { type Phase, type TransferView, progressLines } from '#src/cli/terminal/layout.js';

const MIB = 1024 * 1024;

function view(name: string, changes: Partial<TransferView> = {}): TransferView {
  const usual = { phase: 'downloading', bytes: 0, size: 100 * MIB, rate: 0 } as const;
  return {
    name,
    ...usual,
    elapsed: 12.3,
    wait: 0,
    giveUp: undefined,
    idle: 0,
    answeredHop: 0,
    retries: 0,
    ...changes,
  };
}

const several: readonly TransferView[] = [
  view('holiday.jpg', { bytes: 42 * MIB, rate: 9.5 * MIB }),
  view('a name that is long enough for every screen.tar.gz', {
    phase: 'waiting',
    bytes: 99.9 * MIB,
    wait: 3.2,
    retries: 2,
  }),
  view('文件文件文件文件', { bytes: 1.5 * MIB, size: undefined, rate: 800 * 1024 }),
  view('new', { phase: 'connecting', size: undefined }),
  view('old', { phase: 'verifying', bytes: 100 * MIB, retries: 1 }),
];
const total = view('0/5 files', { bytes: 243.4 * MIB, size: 1000 * MIB, rate: 10.25 * MIB, retries: 3 });

function screen(columns: number, rows = 24, colors = false): string {
  return `\n${progressLines(several, total, { columns, rows, colors }).join('\n')}\n`;
}

test('40 columns: name, percent, and rate with remaining time, or the state', () => {
  assert.equal(
    screen(40),
    `
holiday.jpg   42%  9.50 MiB/s      0:07
a name tha…   99%  retrying in 4 s
文件文件文…         800 KiB/s   12.30 s
new                connecting
old          100%  verifying
0/5 files     24%  10.3 MiB/s      1:14
`,
  );
});

test('80 columns: size and retries too', () => {
  assert.equal(
    screen(80),
    `
holiday.jpg       42%  [===>      ]  42.0 MiB  9.50 MiB/s      0:07
a name that is…   99%  [========> ]  99.9 MiB  retrying in 4 s       2 retries
文件文件文件文…                      1.50 MiB   800 KiB/s   12.30 s
new                                       0 B  connecting
old              100%  [==========]   100 MiB  verifying             1 retry
0/5 files         24%  [=>        ]   243 MiB  10.3 MiB/s      1:14  3 retries
`,
  );
});

test('200 columns: whole names, and bars of limited width', () => {
  assert.equal(
    screen(200),
    `
holiday.jpg                                          42%  [===============>                        ]  42.0 MiB  9.50 MiB/s      0:07
a name that is long enough for every screen.tar.gz   99%  [======================================> ]  99.9 MiB  retrying in 4 s       2 retries
文件文件文件文件                                                                                      1.50 MiB   800 KiB/s   12.30 s
new                                                                                                        0 B  connecting
old                                                 100%  [========================================]   100 MiB  verifying             1 retry
0/5 files                                            24%  [========>                               ]   243 MiB  10.3 MiB/s      1:14  3 retries
`,
  );
});

test('more transfers than rows: the first ones, how many more, and the total', () => {
  assert.equal(
    screen(40, 5),
    `
holiday.jpg   42%  9.50 MiB/s      0:07
a name tha…   99%  retrying in 4 s
… and 3 more
0/5 files     24%  10.3 MiB/s      1:14
`,
  );
});

test('colors do not move anything', () => {
  const colored = screen(80, 24, true);
  assert.notEqual(colored, screen(80));
  assert.equal(stripVTControlCharacters(colored), screen(80));
  assert.ok(colored.includes('\u001b[33mretrying in 4 s'), 'a pause stands out');
});

test('one file of unknown size has no percent column', () => {
  const lines = progressLines([view('file', { bytes: 1500, size: undefined, rate: 750 })], undefined, {
    columns: 40,
    rows: 24,
    colors: false,
  });
  assert.deepEqual(lines, ['file  1.46 KiB     750 B/s   12.30 s']);
});

const shown = (changes: Partial<TransferView>): string =>
  progressLines([view('f', changes)], undefined, { columns: 30, rows: 24, colors: false }).join('\n');

test('percents and times at their limits', () => {
  assert.equal(shown({ bytes: 0, size: 0 }), 'f  100%       0 B/s         -');
  assert.equal(shown({ bytes: 100 * MIB - 1, rate: 1 }), 'f   99%       1 B/s      0:01');
  assert.equal(shown({ rate: 1000 }), 'f    0%    1000 B/s  29:07:38');
  assert.equal(shown({ rate: 1 }), 'f    0%       1 B/s         -');
  assert.equal(shown({ bytes: 50, size: 40, rate: 5 }), 'f  100%       5 B/s      0:00');
});

const statusOf = (changes: Partial<TransferView>): string =>
  progressLines([view('f', changes)], undefined, { columns: 34, rows: 24, colors: false })[0] ?? '';

test('a transfer without progress shows how long it is still tried', () => {
  assert.match(statusOf({ phase: 'waiting', wait: 29.5, giveUp: 252 }), /  retry 30s, 4:12 left$/);
  assert.match(statusOf({ phase: 'connecting', giveUp: 3725 }), /  connecting 62m left$/);
  assert.match(statusOf({ phase: 'waiting', wait: 4 }), /  retrying in 4 s$/);
});

test('silence shows how long it lasts, and the last hop that answers', () => {
  assert.match(statusOf({ idle: 2.9 }), /  silent 2s$/);
  assert.match(statusOf({ idle: 8, answeredHop: 2 }), /  silent 8s, hop 2 up$/);
  assert.match(statusOf({ idle: 60, answeredHop: 2, phase: 'verifying' }), /  verifying 60s$/);
  assert.match(statusOf({ idle: 1.9, rate: 5 }), /  5 B\/s /);
});

test('property: all lines fit on screens of any size', () => {
  const phases = fc.constantFrom<Phase>('connecting', 'downloading', 'verifying', 'waiting');
  const views = fc.record({
    name: fc.string({ unit: 'grapheme', maxLength: 60 }).map((name) => name.replaceAll(/\p{C}/gu, '')),
    phase: phases,
    bytes: fc.nat(),
    size: fc.option(fc.nat(), { nil: undefined }),
    rate: fc.double({ min: 0, max: 1e15, noNaN: true }),
    elapsed: fc.nat({ max: 99 * 3600 }),
    wait: fc.nat({ max: 1000 }),
    giveUp: fc.option(fc.nat({ max: 1_000_000 }), { nil: undefined }),
    idle: fc.nat({ max: 100_000 }),
    answeredHop: fc.nat({ max: 99 }),
    retries: fc.nat({ max: 99 }),
  });
  fc.assert(
    fc.property(
      fc.array(views, { maxLength: 12 }),
      fc.option(views, { nil: undefined }),
      fc.integer({ min: 2, max: 250 }),
      fc.integer({ min: 3, max: 30 }),
      (transfers, whole, columns, rows) => {
        const lines = progressLines(transfers, whole, { columns, rows, colors: false });
        assert.ok(lines.length < rows);
        for (const line of lines) assert.ok(stringWidth(line) < columns, `${columns} columns: "${line}"`);
      },
    ),
  );
});
