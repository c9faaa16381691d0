// What it costs a request that the node decides who may read: the same requests to nodes with other access.
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { type ConnectionOptions, connect } from 'node:tls';
import { linkPath, loadIdentity, loadShareSecret, shareToken } from 'viaduct';
import { type Running, folder } from './processes.js';
import { type Spread, median, pairedRounds, ratio } from './rounds.js';
import { fixed, spread, table } from './table.js';
import { STATE, startNodeProcess } from './viaduct.js';

const FILES = 10_000;
const FILE_BYTES = 1024;
const KEYS = 1000;
/** From one file that is asked for to the next: a prime, so that all have their turn. */
const STRIDE = 7919;
const LINK_SECONDS = 24 * 3600;

export interface Access {
  readonly access: string;
  readonly rounds: number;
  readonly requests: number;
  readonly repliesPerSecond: number;
  /** Replies per second over those of a node that is public, round by round. */
  readonly ratio: Spread;
}

interface Subject {
  readonly access: string;
  readonly tls: ConnectionOptions;
  /** Of the path of each file. */
  readonly prefix: string;
}

/** One request after the other, on a connection of a client that has proved its key. */
export async function measureAccess(asked: {
  readonly rounds: number;
  readonly requests: number;
}): Promise<Access[]> {
  const { rounds, requests } = asked;
  const [root, authorized] = [join(folder, 'access'), join(folder, 'authorized')];
  const content = Buffer.alloc(FILE_BYTES, 1);
  mkdirSync(root);
  for (let number = 0; number < FILES; number += 1) writeFileSync(join(root, `${number}`), content);
  const client = await loadIdentity(STATE, 'client');
  const others = Array.from({ length: KEYS - 1 }, () => `sha256//${randomBytes(32).toString('base64')}`);
  const lines = [...others, client.pin].map((pin, number) => `${pin} client-${number}\n`);
  writeFileSync(authorized, lines.join(''), { mode: 0o600 });
  const secret = await loadShareSecret(join(STATE, 'share_secret'));
  const expires = Math.floor(Date.now() / 1000) + LINK_SECONDS;
  const link = linkPath(shareToken({ below: [], kind: 'folder', expires }, secret), '/');
  const own = { key: client.key, cert: client.cert, rejectUnauthorized: false };
  const nodes: Running[] = [];
  const subjects: Subject[] = [];
  try {
    for (const [access, prefix] of [
      ['public', '/'],
      ['keys', '/'],
      ['links', link],
    ] as const) {
      const node = await startNodeProcess({
        root,
        access,
        ...(access === 'keys' ? { authorized } : { 'ask-clients': undefined }),
      });
      nodes.push(node);
      subjects.push({ access, prefix, tls: { ...own, host: '127.0.0.1', port: node.port } });
    }
    const measure = (subject: Subject): Promise<number> => secondsFor(subject, requests);
    for (const subject of subjects) await measure(subject);
    const results = await pairedRounds(new Map(subjects.map((one) => [one, one])), rounds, measure);
    const [everyone] = results.values();
    return [...results].map(([{ access }, seconds]) => ({
      access,
      rounds,
      requests,
      repliesPerSecond: requests / median(seconds),
      ratio: ratio(everyone ?? [], seconds),
    }));
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
  }
}

/** The time of the requests, without that of the handshake. @throws Error for a reply that is not a file */
async function secondsFor({ tls, prefix }: Subject, requests: number): Promise<number> {
  const socket = connect(tls);
  await once(socket, 'secureConnect');
  const begun = performance.now();
  try {
    await new Promise<void>((resolve, reject) => {
      let sent = 0;
      let reply = '';
      const ask = (): void => {
        reply = '';
        socket.write(`GET ${prefix}${(sent * STRIDE) % FILES} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
        sent += 1;
      };
      socket.on('data', (chunk: Buffer) => {
        reply += chunk.toString('latin1');
        const head = reply.indexOf('\r\n\r\n');
        if (head !== -1 && !reply.startsWith('HTTP/1.1 200 ')) reject(new Error(reply.slice(0, head)));
        if (head === -1 || reply.length < head + 4 + FILE_BYTES) return;
        if (sent < requests) ask();
        else resolve();
      });
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('the node has closed the connection')));
      ask();
    });
    return (performance.now() - begun) / 1000;
  } finally {
    socket.destroy();
  }
}

export function accessTable(rows: readonly Access[]): string {
  return table(
    ['access', 'requests', 'replies/s', 'it ÷ public'],
    rows.map((row) => [row.access, String(row.requests), fixed(row.repliesPerSecond, 0), spread(row.ratio)]),
  );
}
