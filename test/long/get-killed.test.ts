import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { formatLocation } from 'viaduct';
import { type CountedConnection, countingProxy } from '../support/counting-proxy.js';
import { type Child, eventsOf, startGet } from '../support/processes.js';
import { RestartableNode } from '../support/restartable.js';
import { randomFile, sha256, tempFolder } from '../support/temp.js';
import { WIRES } from '../support/wires.js';

const MIB = 1024 * 1024;
const SIZE = 1024 * MIB;
const BREAKS = 20;
/** Slow enough for all breaks. */
const RATE = '22M';

async function chain(t: TestContext) {
  const root = tempFolder(t);
  const digest = sha256(randomFile(root, 'file', SIZE));
  const nodes: RestartableNode[] = [];
  for (let number = 1; number <= 4; number += 1) nodes.push(await RestartableNode.start(t, root));
  const [first, ...rest] = nodes;
  assert.ok(first);
  const proxy = await countingProxy(t, first.hop);
  const url = formatLocation({ route: [proxy.hop, ...rest.map(({ hop }) => hop)], path: '/file' });
  return { digest, relays: nodes.slice(0, -1), proxy, url };
}

function isWhole(folder: string, digest: string): void {
  assert.deepEqual(readdirSync(folder), ['file']);
  assert.equal(sha256(readFileSync(join(folder, 'file'))), digest);
}

/** Bytes that were received more than once. */
function resent(connections: readonly CountedConnection[]): number {
  return connections.reduce((sum, { bytes }) => sum + bytes, 0) - SIZE;
}

/** Bytes in the receive buffer of the socket with this port (proc(5)). */
function unreadBytes(port: number): number {
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const lines = readFileSync('/proc/net/tcp', 'utf8').split('\n');
  const fields = lines.map((line) => line.trim().split(/\s+/)).find(([, address]) => address === local);
  return Number.parseInt(fields?.[4]?.split(':')[1] ?? '', 16);
}

function rangesOf(connections: readonly CountedConnection[]): (number | undefined)[] {
  return connections
    .filter(({ head }) => head.startsWith('GET'))
    .map(({ head }) => {
      const [, start] = /\r\nRange: bytes=(\d+)-\r\n/.exec(head) ?? [];
      return start === undefined ? undefined : Number(start);
    });
}

/** Where the replies to a download begin. */
function offsetsOf(get: Pick<Child, 'stdout'>): unknown[] {
  return eventsOf(get).flatMap((line) => (line.event === 'reply' ? [line['offset']] : []));
}

for (const wire of WIRES)
  describe(wire.name, () => {
    test('a download survives 20 killed relays, and few bytes are sent twice', async (t) => {
      const { digest, relays, proxy, url } = await chain(t);
      const folder = tempFolder(t);
      const get = startGet(t, folder, [...wire.args, url, '--json', '--limit-rate', RATE]);
      for (let count = 0; count < BREAKS; count += 1) {
        await delay(2000);
        const relay = relays[Math.floor(Math.random() * relays.length)];
        await relay?.kill();
        await relay?.start();
      }
      assert.equal(await get.ended, 0, get.stderr);
      isWhole(folder, digest);
      const retries = eventsOf(get).filter(({ event }) => event === 'retry').length;
      t.diagnostic(`${retries} retries, ${resent(proxy.connections)} bytes sent twice`);
      assert.ok(retries >= BREAKS / 2, `only ${retries} retries`);
      assert.ok(resent(proxy.connections) <= BREAKS * MIB, `${resent(proxy.connections)} bytes sent twice`);
    });

    test('a download that is killed 20 times requests only what is missing', async (t) => {
      const { digest, proxy, url } = await chain(t);
      const folder = tempFolder(t);
      const starts: number[] = [];
      const offsets: unknown[] = [];
      /** Bytes that the client had not read yet when it was killed. */
      const unread: number[] = [];
      for (let count = 0; count < BREAKS; count += 1) {
        const get = startGet(t, folder, [...wire.args, url, '--json', '--limit-rate', RATE]);
        await get.until((child) => eventsOf(child).some(({ event }) => event === 'progress'));
        await delay(1000);
        unread.push(unreadBytes(proxy.connections.at(-1)?.port ?? 0));
        get.process.kill('SIGKILL');
        await get.ended;
        offsets.push(...offsetsOf(get));
        starts.push(statSync(join(folder, 'file.part')).size);
      }
      const last = startGet(t, folder, [...wire.args, url, '--json']);
      assert.equal(await last.ended, 0, last.stderr);
      isWhole(folder, digest);
      offsets.push(...offsetsOf(last));
      // In TLS the proxy sees no request, so that the client's word is taken.
      if (wire.name === 'plain') assert.deepEqual(rangesOf(proxy.connections), [undefined, ...starts]);
      assert.deepEqual(offsets, [0, ...starts]);
      t.diagnostic(`unread at each kill: ${unread.join(', ')}`);
      assert.ok(unread.every((bytes) => bytes <= MIB));
    });
  });
