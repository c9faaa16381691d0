import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { PARKING_TIMES } from '#src/wire/parking.js';
import { hostileRelay } from '../support/hostile-relay.js';
import { settles } from '../support/leaks.js';
import { parkedNode, parkingNode } from '../support/parking.js';

/** Writes as long as the other end takes it, in turns with everything else in this process. */
function flood(control: TLSSocket, next: () => string): void {
  const more = (): void => {
    if (control.destroyed) return;
    if (control.write(next())) setImmediate(more);
    else control.once('drain', more);
  };
  more();
}

test('a relay that wants connections without end gets a bounded number, and all end with the parking', async (t) => {
  let token = 0;
  const relay = await hostileRelay(t, (control) =>
    flood(control, () => `open ${(token += 1)}\n`.repeat(100)),
  );
  const parked = await parkedNode(t, [relay.hop], { name: 'attic' });
  await settles(
    () => relay.ready.now,
    (count) => count >= 128,
    (count) => `${count} connections`,
  );
  // Thousands of lines later there are no more.
  const seen = token;
  await settles(
    () => token,
    (count) => count > seen + 2000,
    (count) => `${count} lines were taken`,
  );
  assert.equal(relay.ready.most, 128);
  await parked.leave();
  await settles(
    () => relay.ready.now,
    (count) => count === 0,
    (count) => `${count} connections stay open`,
  );
  assert.deepEqual(
    parked.events.filter(({ type }) => type === 'lost'),
    [],
  );
});

test('a relay that refuses what it wants costs a bounded number of connections at once', async (t) => {
  let asking: TLSSocket | undefined;
  const relay = await hostileRelay(
    t,
    (control) => {
      asking = control;
      control.write('open x\n'.repeat(300));
    },
    (socket) => {
      socket.resetAndDestroy();
      asking?.write('open x\n'.repeat(2));
    },
  );
  const parked = await parkedNode(t, [relay.hop], { name: 'attic' });
  await settles(
    () => relay.ready.all,
    (count) => count > 500,
    (count) => `${count} connections`,
  );
  assert.ok(relay.ready.most <= 128, `${relay.ready.most} at once`);
  assert.ok(parked.events.every(({ type }) => type === 'parked' || type === 'not-opened'));
});

test('a line without end, and one that is too long, end the parking with a reason', async (t) => {
  for (const text of ['x'.repeat(100_000), `open ${'x'.repeat(1000)}\n`]) {
    const relay = await hostileRelay(t, (control) => control.write(text));
    const parked = await parkingNode(t, [relay.hop], { name: 'attic' });
    const { error } = await parked.event('lost');
    assert.deepEqual([error.code, error.hopNumber], ['CUT_SHORT', 1]);
    assert.match(error.message, /^hop 1 \(\S+\) sent a line that is too long$/);
    assert.equal(relay.ready.all, 0);
    await parked.leave();
  }
});

test('garbage is ignored, and a farewell is shown without its control characters', async (t) => {
  const relay = await hostileRelay(t, (control) => {
    control.write('\n\nping\nHTTP/1.1 200 OK\r\n\r\n\x00\xff open\nopens x\n');
    control.write(`bye \x1b[2J\x1b]0;evil\x07 go away\n`);
    control.write('open late\n');
  });
  const parked = await parkingNode(t, [relay.hop], { name: 'attic' });
  const { error, pauseMs } = await parked.event('lost');
  assert.match(error.message, /^hop 1 \(\S+\) ended the parking: .*go away$/);
  // oxlint-disable-next-line no-control-regex -- none of them may be shown
  assert.doesNotMatch(error.message, /[\x00-\x1f\x7f]/);
  assert.ok(pauseMs > 0);
  assert.equal(relay.ready.all, 0);
});

test('pauses between attempts grow, whatever a relay does at once after it has accepted', async (t) => {
  const relay = await hostileRelay(t, (control) => control.write('bye x\n'));
  const parked = await parkingNode(t, [relay.hop], { name: 'attic' });
  const pauses = (): number[] =>
    parked.events.flatMap((event) => (event.type === 'lost' ? [event.pauseMs] : []));
  await settles(
    () => pauses().length,
    (count) => count >= 2,
    (count) => `${count} attempts`,
  );
  const [first = 0, second = 0] = pauses();
  // Half of each pause at most is random, so that the second is at least as long as the first can be.
  assert.ok(first >= 250 && first <= 500 && second >= 500 && second <= 1000, pauses().join());
});

test('a relay that goes silent after it has accepted is left after the limit', async (t) => {
  const relay = await hostileRelay(t, () => {});
  const times = { ...PARKING_TIMES, beatMs: 20, beatLimitMs: 200 };
  const parked = await parkingNode(t, [relay.hop], { name: 'attic', times });
  assert.match((await parked.event('lost')).error.message, /sent nothing for 0\.2 s$/);
});
