import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OverallProgress, TransferProgress } from '#src/cli/terminal/transfers.js';

/** Moves bytes at a steady rate and samples ten times per second as the display does. Returns the time. */
function download(transfer: TransferProgress, perSecond: number, seconds: number, from: number): number {
  let now = from;
  transfer.update({ phase: 'downloading' }, now);
  while (now < from + seconds * 1000) {
    now += 100;
    transfer.update({ phase: 'downloading', bytes: transfer.bytes + perSecond / 10 }, now);
    transfer.view(now);
  }
  return now;
}

test('a steady rate is shown from the first tenth of a second on', () => {
  const transfer = new TransferProgress('file', new OverallProgress(0), 0);
  for (let now = 0; now < 5000;) {
    now = download(transfer, 1000, 0.1, now);
    assert.ok(Math.abs(transfer.view(now).rate - 1000) < 1e-6, `${transfer.view(now).rate} at ${now} ms`);
  }
});

test('a rate that changes is followed smoothly', () => {
  const transfer = new TransferProgress('file', new OverallProgress(0), 0);
  let now = download(transfer, 1000, 5, 0);
  now = download(transfer, 2000, 1, now);
  const soon = transfer.view(now).rate;
  assert.ok(soon > 1200 && soon < 1500, String(soon));
  now = download(transfer, 2000, 10, now);
  assert.ok(transfer.view(now).rate > 1900);
});

test('bytes found on disk count as progress but not for the rate, and a pause does not lower it', () => {
  const overall = new OverallProgress(0);
  const transfer = new TransferProgress('file', overall, 0);
  transfer.update({ bytes: 1_000_000, size: 2_000_000 }, 0);
  let now = download(transfer, 1000, 5, 0);
  assert.ok(Math.abs(transfer.view(now).rate - 1000) < 1);
  transfer.update({ phase: 'waiting', retries: 1, waitMs: 60_000 }, now);
  const waiting = transfer.view(now + 20_000);
  assert.deepEqual(
    [waiting.phase, waiting.bytes, waiting.rate, waiting.wait, waiting.retries],
    ['waiting', 1_005_000, 0, 40, 1],
  );
  now = download(transfer, 1000, 1, now + 60_000);
  const again = transfer.view(now);
  assert.ok(again.rate > 900 && again.rate < 1100, String(again.rate));
  assert.deepEqual(
    [again.phase, again.bytes, again.size, again.retries],
    ['downloading', 1_006_000, 2_000_000, 1],
  );
});

test('a transfer that starts over has no negative rate', () => {
  const transfer = new TransferProgress('file', new OverallProgress(0), 0);
  const now = download(transfer, 1000, 3, 0);
  transfer.update({ phase: 'connecting', bytes: 0 }, now);
  transfer.update({ phase: 'downloading', bytes: 0 }, now);
  assert.ok(transfer.view(now + 5000).rate >= 0);
});

test('the total counts finished transfers, and knows a size once all are known', () => {
  const overall = new OverallProgress(0);
  const first = new TransferProgress('a', overall, 0);
  assert.equal(overall.view([first], 0), undefined, 'one file needs none');
  const second = new TransferProgress('b', overall, 0);
  first.update({ phase: 'downloading', bytes: 100, size: 100, retries: 2 }, 10);
  second.update({ phase: 'downloading', bytes: 30, retries: 1 }, 10);
  assert.equal(overall.view([first, second], 10)?.size, undefined);
  overall.finish(first);
  second.update({ size: 50 }, 20);
  const total = overall.view([second], 20);
  assert.ok(total !== undefined);
  assert.deepEqual([total.name, total.bytes, total.size, total.retries], ['1/2 files', 130, 150, 3]);
});

test('the total of the expected files', () => {
  const overall = new OverallProgress(0);
  overall.expect(10_000, undefined);
  const only = new TransferProgress('a', overall, 0);
  only.update({ bytes: 1, size: 2 }, 0);
  const counted = overall.view([only], 0);
  assert.deepEqual([counted?.name, counted?.size], ['0/10000 files', undefined]);
  overall.expect(10_000, 5000);
  assert.equal(overall.view([only], 0)?.size, 5000);
});
