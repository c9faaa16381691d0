// Viaduct beside other relays and clients. docs/performance.md tells how to read what it prints.
//   npm run bench -- [throughput] [get] [encrypted] [open] [parked] [access] [small] [idle] [--peers viaduct,c,…] [--rounds N] [--json] …
import { cpus, release } from 'node:os';
import { type Asked, argumentsFrom } from './arguments.js';
import { type Access, accessTable, measureAccess } from './access.js';
import { type Encrypted, encryptedTable, measureEncrypted } from './encrypted.js';
import { type Get, getTable, measureGet, missingForGet } from './get.js';
import { type Idle, connectionsThatFit, idleTable, measureIdle } from './idle.js';
import { compileLoad } from './load.js';
import { type Wire, keysForIdle, keysForSmall, missingPrograms, peersFor } from './peers.js';
import { type Open, measureOpen, openTable } from './open.js';
import { type Parked, measureParked, parkedTable } from './parked.js';
import { type Small, measureSmall, smallTable } from './small.js';
import { type Throughput, measureThroughput, throughputTable } from './throughput.js';

const MIB = 1024 * 1024;

// A proxy of the user could not reach this machine.
for (const name of ['NO_PROXY', 'no_proxy']) process.env[name] = '*';

const asked = orExit(() => argumentsFrom(process.argv.slice(2)));
const { parts, keys } = asked;

try {
  await bench();
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

function orExit(read: () => Asked | string): Asked {
  try {
    const found = read();
    if (typeof found !== 'string') return found;
    process.stdout.write(found);
    process.exit(0);
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    process.exit(2);
  }
}

async function bench(): Promise<void> {
  const { wires } = asked;
  if (process.platform !== 'linux') throw new Error('the bench reads proc(5), which only Linux has');
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
    for (const flows of asked.flows) {
      for (const relays of asked.chains ?? [1, 2, 4, 8]) {
        const rounds = asked.rounds ?? defaultRounds(relays, flows);
        say(`throughput: ${wire}, ${relays} relays, ${flows} flows, ${rounds} rounds`);
        const bytes = (asked.mib ?? 512) * MIB;
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
  const rounds = asked.rounds ?? 15;
  say(`get: ${rounds} rounds`);
  return measureGet({ rounds, bytes: (asked.mib ?? 1024) * MIB });
}

async function everyEncrypted(): Promise<Encrypted[]> {
  const rounds = asked.rounds ?? 5;
  const bytes = (asked.mib ?? 1024) * MIB;
  return measureEncrypted({ rounds, bytes, chains: asked.chains ?? [0, 2, 4], say });
}

async function everyOpen(): Promise<Open[]> {
  const rounds = asked.rounds ?? 9;
  say(`open: ${rounds} rounds`);
  return measureOpen(rounds, (asked.mib ?? 2048) * MIB);
}

async function everyParked(): Promise<Parked[]> {
  const rows: Parked[] = [];
  for (const flows of asked.flows) {
    const rounds = asked.rounds ?? 15;
    say(`parked: ${flows} flows, ${rounds} rounds`);
    rows.push(...(await measureParked({ flows, rounds, bytes: (asked.mib ?? 1024) * MIB })));
  }
  return rows;
}

async function everyAccess(): Promise<Access[]> {
  const rounds = asked.rounds ?? 15;
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
    for (const atOnce of asked.atOnce) {
      const rounds = asked.rounds ?? 15;
      say(`small: ${wire}, ${atOnce} at once, ${rounds} rounds`);
      rows.push(...(await measureSmall(peers, { wire, atOnce, rounds, replies: repliesPerRound(atOnce) })));
    }
  }
  return rows;
}

async function everyIdle(wires: readonly Wire[]): Promise<Idle[]> {
  const rows: Idle[] = [];
  const connections = await connectionsThatFit(asked.connections);
  if (connections < asked.connections) {
    say(
      `idle: only ${connections} connections, as one client may have no more relayed with the descriptors of a process (ulimit -n)`,
    );
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
  return atOnce === 1 ? 3000 : 6000;
}

/** Progress, and what is left out: never into the tables. */
function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
