// What a parked hop costs beside a dialled one: the same relay and the same origin, over both.
import { createWriteStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { repeatedBlock } from './get.js';
import { type Target, fetchFlows, fetchReplies } from './load.js';
import { type Running, folder } from './processes.js';
import { type Spread, median, pairedRounds, ratio } from './rounds.js';
import { fixed, spread, table } from './table.js';
import { startNodeProcess } from './viaduct.js';

const SMALL_BYTES = 1024;
const SMALL_COUNT = 30;
/** Between small files: the node has opened another connection by then, as between the requests of people. */
const PAUSE_MS = 50;
/** For the node to park, in ms. */
const PARKED_MS = 10_000;

export interface Parked {
  readonly hop: string;
  readonly flows: number;
  readonly rounds: number;
  readonly bytesPerSecond: number;
  /** Throughput of the parked hop over this one's, round by round. */
  readonly ratio: Spread;
  /** From dialling to FIN of a small file, one at a time with pauses: median of the rounds. */
  readonly seconds: number;
  /** Time of the parked hop over this one's, round by round. */
  readonly timeRatio: Spread;
}

interface Measured {
  readonly seconds: number;
  readonly small: number;
}

/** Through one relay; all flows of a round together fetch so many bytes. */
export async function measureParked(asked: {
  readonly flows: number;
  readonly rounds: number;
  readonly bytes: number;
}): Promise<Parked[]> {
  const { flows, rounds, bytes } = asked;
  const each = Math.floor(bytes / flows);
  await pipeline(Readable.from(repeatedBlock(each)), createWriteStream(join(folder, 'large')));
  writeFileSync(join(folder, 'small'), Buffer.alloc(SMALL_BYTES, 1));
  const nodes: Running[] = [];
  try {
    const relay = await startNodeProcess({ 'park-for': 'any', root: folder });
    nodes.push(relay);
    const origin = await startNodeProcess({
      root: folder,
      park: `127.0.0.1:${relay.port}`,
      name: 'origin',
      'accept-new': undefined,
    });
    nodes.push(origin);
    const over = (name: string, hop: string): Hop => ({
      large: { name, port: relay.port, message: `large\n${hop}\n\n` },
      small: { name, port: relay.port, message: `small\n${hop}\n\n` },
    });
    const parked = over('parked', '~origin 0');
    const dialled = over('dialled', `127.0.0.1 ${origin.port}`);
    await untilParked(parked.small);
    const measure = async ({ large, small }: Hop): Promise<Measured> => ({
      seconds: (await fetchFlows(large, flows, each)).seconds,
      small: await timeOfSmall(small),
    });
    for (const hop of [parked, dialled]) await measure(hop);
    const results = await pairedRounds(new Map([parked, dialled].map((hop) => [hop, hop])), rounds, measure);
    const secondsOf = (hop: Hop): number[] => (results.get(hop) ?? []).map(({ seconds }) => seconds);
    const smallOf = (hop: Hop): number[] => (results.get(hop) ?? []).map(({ small }) => small);
    return [parked, dialled].map((hop) => ({
      hop: hop.large.name,
      flows,
      rounds,
      bytesPerSecond: (each * flows) / median(secondsOf(hop)),
      ratio: ratio(secondsOf(hop), secondsOf(parked)),
      seconds: median(smallOf(hop)),
      timeRatio: ratio(smallOf(parked), smallOf(hop)),
    }));
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
  }
}

interface Hop {
  readonly large: Target;
  readonly small: Target;
}

/** In s. */
async function timeOfSmall(target: Target): Promise<number> {
  const times: number[] = [];
  while (times.length < SMALL_COUNT) {
    await delay(PAUSE_MS);
    times.push((await fetchReplies(target, SMALL_BYTES, 1, 1)).seconds);
  }
  return median(times);
}

async function untilParked(target: Target): Promise<void> {
  const end = performance.now() + PARKED_MS;
  for (;;) {
    try {
      await fetchReplies(target, SMALL_BYTES, 1, 1);
      return;
    } catch (error) {
      if (performance.now() > end) throw error;
      await delay(100);
    }
  }
}

export function parkedTable(rows: readonly Parked[]): string {
  return table(
    ['hop', 'flows', 'GB/s', 'parked ÷ it', 'ms', 'time, parked ÷ it'],
    rows.map((row) => [
      row.hop,
      String(row.flows),
      fixed(row.bytesPerSecond / 1e9, 2),
      spread(row.ratio),
      fixed(row.seconds * 1000, 2),
      spread(row.timeRatio),
    ]),
  );
}
