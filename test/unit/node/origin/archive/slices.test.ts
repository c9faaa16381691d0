import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Plan } from '#src/node/origin/archive/plan.js';
import { archivePieces } from '#src/node/origin/archive/pieces.js';
import { PlannedSource } from '#src/node/origin/archive/planned-source.js';
import { TarLayout } from '#src/node/origin/archive/tar-layout.js';
import { ZipLayout } from '#src/node/origin/archive/zip-layout.js';
import { ClientTurns } from '#src/node/client-turns.js';
import { Root } from '#src/node/origin/root.js';

/** A tree of nothing but folders, which wait for no file. */
function foldersOnly(count: number): Plan {
  const folders = Array.from({ length: count }, (_, index) => ({
    path: index === 0 ? '' : `folder-${index}/`,
    modified: 0,
    files: [],
    facts: new BigInt64Array(),
  }));
  const leftOut = { links: 0, special: 0, unreadable: 0 };
  return { name: 'top', top: '', folders, entries: count, leftOut, comment: '', tag: 'tag' };
}

/** How often the event loop serves others while something is done. */
async function turnsDuring(act: () => Promise<void>): Promise<number> {
  let turns = 0;
  let isOver = false;
  const turn = (): void => {
    turns += 1;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  await act();
  isOver = true;
  return turns;
}

describe('others have their turns', () => {
  for (const [name, layoutOf] of [
    ['tar', (plan: Plan) => TarLayout.of(plan)],
    ['zip', (plan: Plan) => ZipLayout.of(plan)],
  ] as const) {
    test(`while many folders get their places in a ${name} archive`, async () => {
      const plan = foldersOnly(10_000);
      const turns = await turnsDuring(async () => void (await layoutOf(plan)));
      assert.ok(turns > 10, `${turns} turns`);
    });

    test(`while many folders of a ${name} archive are sent to a fast client`, async () => {
      const layout = await layoutOf(foldersOnly(10_000));
      const source = new PlannedSource(
        { root: Root.nothing(), shares: new Map() },
        new ClientTurns(),
        '',
        () => {},
      );
      let length = 0;
      const turns = await turnsDuring(async () => {
        const range = { start: 0, end: layout.size };
        for await (const piece of archivePieces(layout, source, range)) length += piece.length;
      });
      assert.equal(length, layout.size);
      assert.ok(turns > 10, `${turns} turns`);
    });
  }
});
