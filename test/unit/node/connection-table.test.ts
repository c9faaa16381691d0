import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionTable, type TableEntry } from '#src/node/connection-table.js';

class Entry implements TableEntry {
  readonly network: string;
  isTunnel = false;
  gaveWay = false;
  aborted = false;

  constructor(network: string) {
    this.network = network;
  }

  giveWay(): void {
    this.gaveWay = true;
  }

  abort(): void {
    this.aborted = true;
  }
}

/** Opens connections as a node does. */
function open(table: ConnectionTable, network: string, count: number): Entry[] {
  const opened: Entry[] = [];
  for (let number = 0; number < count; number += 1) {
    if (!table.makeRoom(network)) return opened;
    const entry = new Entry(network);
    table.add(entry);
    opened.push(entry);
    for (const gone of opened) if (gone.gaveWay && closed(gone)) table.delete(gone);
  }
  return opened;
}

const done = new WeakSet<Entry>();
function closed(entry: Entry): boolean {
  if (done.has(entry)) return false;
  done.add(entry);
  return true;
}

test('a client has at most an eighth of all slots without a request; its oldest gives way, and no other client’s', () => {
  const table = new ConnectionTable(800, 0);
  const [honest] = open(table, 'honest', 1);
  const flood = open(table, 'flood', 1000);
  assert.equal(flood.length, 1000);
  assert.equal(flood.filter((entry) => entry.gaveWay).length, 900);
  assert.equal(
    flood.findIndex((entry) => !entry.gaveWay),
    900,
  );
  assert.equal(honest?.gaveWay, false);
  assert.equal(table.size, 101);
});

test('connections of a client without a request that are young stay, and a further one is refused', () => {
  const table = new ConnectionTable(800, 60_000);
  const flood = open(table, 'flood', 1000);
  assert.equal(flood.length, 100);
  assert.ok(flood.every((entry) => !entry.gaveWay));
  assert.equal(open(table, 'honest', 1).length, 1);
});

test('a client with requests under way may have as many more without one, while half of all are free', () => {
  const table = new ConnectionTable(800, 60_000);
  for (const entry of open(table, 'relay', 100)) table.answers(entry);
  assert.equal(open(table, 'relay', 300).length, 200);
  for (const entry of open(table, 'others', 100)) table.answers(entry);
  assert.equal(open(table, 'relay', 1).length, 0);
});

test('a client whose requests are being answered leaves an eighth of all slots to others', () => {
  const table = new ConnectionTable(80);
  const busy: Entry[] = [];
  for (;;) {
    const [entry] = open(table, 'busy', 1);
    if (entry === undefined) break;
    table.answers(entry);
    busy.push(entry);
  }
  assert.equal(busy.length, 70);
  assert.equal(open(table, 'honest', 10).length, 10);
  assert.ok(busy.every((entry) => !entry.gaveWay));
});

/** Turns open connections into ends of tunnels. */
function tunnelEnds(table: ConnectionTable, entries: readonly Entry[]): readonly Entry[] {
  for (const entry of entries) {
    table.answers(entry);
    entry.isTunnel = true;
    table.waits(entry);
  }
  return entries;
}

test('ends of tunnels that are young keep no further connection of the same relay out', () => {
  const table = new ConnectionTable(80, 60_000);
  for (let opened = 0; opened < 50; opened += 1) {
    const more = tunnelEnds(table, open(table, 'relay', 1));
    assert.equal(more.length, 1, `${opened} are open`);
  }
  assert.equal(open(table, 'relay', 16).length, 16);
  assert.equal(open(table, 'relay', 1).length, 0, 'without a tunnel they do count');
});

test('in a full table tunnels give way like other connections without a request, the oldest first', () => {
  const table = new ConnectionTable(80, 60_000);
  const [first] = tunnelEnds(table, open(table, 'relay', 1));
  const [second] = open(table, 'relay', 1);
  const others: Entry[] = [];
  for (let number = 0; number < 68; number += 1) others.push(...tunnelEnds(table, open(table, 'relay', 1)));
  const given = (): number => [first, second, ...others].filter((entry) => entry?.gaveWay).length;
  assert.equal(given(), 0);
  assert.equal(open(table, 'relay', 1).length, 1);
  assert.deepEqual([first?.gaveWay, second?.gaveWay, given()], [true, false, 1]);
  assert.equal(open(table, 'relay', 1).length, 1);
  assert.deepEqual([second?.gaveWay, given()], [true, 2]);
  for (const client of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k']) open(table, client, 1);
  assert.equal(given(), 3);
});

test('in a full table the oldest connection without a request gives way, whosever it is', () => {
  const table = new ConnectionTable(8);
  const [oldest, second] = [...open(table, 'a', 1), ...open(table, 'b', 1)];
  assert.ok(oldest && second);
  for (const client of ['c', 'd', 'e', 'f', 'g', 'h']) open(table, client, 1);
  table.answers(oldest);
  assert.equal(open(table, 'i', 1).length, 1);
  assert.deepEqual([oldest.gaveWay, second.gaveWay], [false, true]);
});

test('a full table without a connection that waits has no room', () => {
  const table = new ConnectionTable(2);
  for (const entry of open(table, 'a', 2)) table.answers(entry);
  assert.equal(table.makeRoom('b'), false);
});

for (const end of ['give way', 'are answered for the last time']) {
  test(`of connections that ${end} and stay open the oldest are closed, and a new client gets in`, () => {
    const table = new ConnectionTable(128);
    const opened: Entry[] = [];
    for (let number = 0; number < 1000; number += 1) {
      assert.ok(table.makeRoom(`client ${number % 20}`), `${number} are open`);
      const entry = new Entry(`client ${number % 20}`);
      table.add(entry);
      opened.push(entry);
      for (const gone of opened) if (gone.aborted && closed(gone)) table.delete(gone);
      if (end === 'give way') continue;
      table.answers(entry);
      table.leaves(entry);
    }
    assert.ok(table.makeRoom('honest'));
    const firstOpen = opened.findIndex((entry) => !entry.aborted);
    assert.ok(opened.slice(firstOpen).every((entry) => !entry.aborted));
    assert.equal(opened.length - firstOpen, 128 + 16 - 1);
  });
}
