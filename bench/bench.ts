// Viaduct beside other relays and clients. docs/performance.md tells how to read what it prints.
//   npm run bench -- [throughput] [get] [encrypted] [open] [parked] [access] [small] [idle] [--peers viaduct,c,…] [--rounds N] [--json] …
import { cpus, release } from 'node:os';
import { parseArgs } from 'node:util';
import { type Access, accessTable, measureAccess } from './access.js';
import { type Encrypted, encryptedTable, measureEncrypted } from './encrypted.js';
import { type Get, getTable, measureGet, missingForGet } from './get.js';
import { type Idle, connectionsThatFit, idleTable, measureIdle } from './idle.js';
import { compileLoad } from './load.js';
import { type Wire, everyKey, keysForIdle, keysForSmall, missingPrograms, peersFor } from './peers.js';
import { type Open, measureOpen, openTable } from './open.js';
import { type Parked, measureParked, parkedTable } from './parked.js';
import { type Small, measureSmall, smallTable } from './small.js';
import { type Throughput, measureThroughput, throughputTable } from './throughput.js';

const PARTS = ['throughput', 'get', 'encrypted', 'open', 'parked', 'access', 'small', 'idle'] as const;
const WIRES = ['classic', 'http'] as const;
const MIB = 1024 * 1024;

// A proxy of the user could not reach this machine.
for (const name of ['NO_PROXY', 'no_proxy']) process.env[name] = '*';

const { values: asked, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    wires: { type: 'string', default: 'classic,http' },
    peers: { type: 'string', default: everyKey.join(',') },
    chains: { type: 'string' },
    flows: { type: 'string', default: '1,64' },
    mib: { type: 'string' },
    'at-once': { type: 'string', default: '1,64,512' },
    connections: { type: 'string', default: '5000' },
    rounds: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const parts = positionals.length > 0 ? positionals : PARTS;
const keys = asked.peers.split(',');

try {
  await bench(asked.wires.split(',').map((wire) => oneOf('wire', wire, WIRES)));
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

async function bench(wires: readonly Wire[]): Promise<void> {
  if (process.platform !== 'linux') throw new Error('the bench reads proc(5), which only Linux has');
  for (const part of parts) oneOf('part', part, PARTS);
  for (const key of keys) oneOf('peer', key, everyKey);
  if (parts.some((part) => !['get', 'encrypted', 'open', 'access'].includes(part))) {
    for (const program of missingPrograms(keys)) say(`${program} is not on this machine: left out`);
    compileLoad();
  }
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'CPU'}, Linux ${release()}, Node ${process.version}`;
  const date = new Date().toISOString().slice(0, 10);
  show(`${machine}, ${date}\n`);
  const throughput = parts.includes('throughput') ? await everyThroughput(wires) : [];
  if (throughput.length > 0) show(throughputTable(throughput));
  const get = parts.includes('get') ? await everyGet() : [];
  if (get.length > 0) show(getTable(get));
  const encrypted = parts.includes('encrypted') ? await everyEncrypted() : [];
  if (encrypted.length > 0) show(encryptedTable(encrypted));
  const open = parts.includes('open') ? await everyOpen() : [];
  if (open.length > 0) show(openTable(open));
  const parked = parts.includes('parked') ? await everyParked() : [];
  if (parked.length > 0) show(parkedTable(parked));
  const access = parts.includes('access') ? await everyAccess() : [];
  if (access.length > 0) show(accessTable(access));
  const small = parts.includes('small') ? await everySmall(wires) : [];
  if (small.length > 0) show(smallTable(small));
  const idle = parts.includes('idle') ? await everyIdle(wires) : [];
  if (idle.length > 0) show(idleTable(idle));
  if (asked.json) {
    process.stdout.write(
      `${JSON.stringify({ date, machine, throughput, get, encrypted, open, parked, access, small, idle }, undefined, 2)}\n`,
    );
  }
}

/** A part's table as soon as it is there: what fails later does not take it away. */
function show(text: string): void {
  if (!asked.json) process.stdout.write(`${text}\n`);
}

async function everyThroughput(wires: readonly Wire[]): Promise<Throughput[]> {
  const rows: Throughput[] = [];
  for (const wire of wires) {
    for (const flows of numbers(asked.flows)) {
      for (const relays of numbers(asked.chains ?? '1,2,4,8')) {
        const rounds = Number(asked.rounds ?? defaultRounds(relays, flows));
        say(`throughput: ${wire}, ${relays} relays, ${flows} flows, ${rounds} rounds`);
        const bytes = Number(asked.mib ?? 512) * MIB;
        rows.push(...(await measureThroughput(peersFor(wire, keys), { wire, relays, flows, rounds, bytes })));
      }
    }
  }
  return rows;
}

async function everyGet(): Promise<Get[]> {
  const missing = missingForGet();
  for (const program of missing) say(`${program} is not on this machine: get is left out`);
  if (missing.length > 0) return [];
  const rounds = Number(asked.rounds ?? 15);
  say(`get: ${rounds} rounds`);
  return measureGet({ rounds, bytes: Number(asked.mib ?? 1024) * MIB });
}

async function everyEncrypted(): Promise<Encrypted[]> {
  const rounds = Number(asked.rounds ?? 5);
  const bytes = Number(asked.mib ?? 1024) * MIB;
  return measureEncrypted({ rounds, bytes, chains: numbers(asked.chains ?? '0,2,4'), say });
}

async function everyOpen(): Promise<Open[]> {
  const rounds = Number(asked.rounds ?? 9);
  say(`open: ${rounds} rounds`);
  return measureOpen(rounds, Number(asked.mib ?? 2048) * MIB);
}

async function everyParked(): Promise<Parked[]> {
  const rows: Parked[] = [];
  for (const flows of numbers(asked.flows)) {
    const rounds = Number(asked.rounds ?? 15);
    say(`parked: ${flows} flows, ${rounds} rounds`);
    rows.push(...(await measureParked({ flows, rounds, bytes: Number(asked.mib ?? 1024) * MIB })));
  }
  return rows;
}

async function everyAccess(): Promise<Access[]> {
  const rounds = Number(asked.rounds ?? 15);
  say(`access: ${rounds} rounds`);
  return measureAccess({ rounds, requests: 2000 });
}

async function everySmall(wires: readonly Wire[]): Promise<Small[]> {
  const rows: Small[] = [];
  for (const wire of wires) {
    const peers = peersFor(
      wire,
      keys.filter((key) => keysForSmall.includes(key)),
    );
    for (const atOnce of numbers(asked['at-once'])) {
      const rounds = Number(asked.rounds ?? 15);
      say(`small: ${wire}, ${atOnce} at once, ${rounds} rounds`);
      rows.push(...(await measureSmall(peers, { wire, atOnce, rounds, replies: repliesPerRound(atOnce) })));
    }
  }
  return rows;
}

async function everyIdle(wires: readonly Wire[]): Promise<Idle[]> {
  const rows: Idle[] = [];
  const connections = await connectionsThatFit(Number(asked.connections));
  if (connections < Number(asked.connections)) {
    say(`idle: only ${connections} connections, as a process may open no more descriptors (ulimit -n)`);
  }
  for (const wire of wires) {
    const idleKeys = keys.filter((key) => keysForIdle.includes(key));
    for (const peer of peersFor(wire, idleKeys)) {
      say(`idle: ${wire}, ${peer.name}`);
      rows.push(await measureIdle(peer, wire, connections));
    }
  }
  return rows;
}

/** More where a few per cent matter: chains whose figures are promised. */
function defaultRounds(relays: number, flows: number): number {
  const promised = flows === 1 ? relays === 1 || relays === 4 : relays === 2;
  return promised ? 15 : 5;
}

/** Of one relay: about a second's. */
function repliesPerRound(atOnce: number): number {
  return Math.min(3000, 400 + 20 * atOnce);
}

function numbers(list: string): number[] {
  return list.split(',').map(Number);
}

function oneOf<Name extends string>(what: string, name: string, known: readonly Name[]): Name {
  const found = known.find((one) => one === name);
  if (found !== undefined) return found;
  throw new Error(`there is no ${what} ${name}, only ${known.join(', ')}`);
}

/** Progress, and what is left out: never into the tables. */
function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
