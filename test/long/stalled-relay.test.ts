import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { type TestContext, describe, test } from 'node:test';
import { OFFLOAD_BYTES } from '#src/defaults.js';
import { calls, fdOf, withoutCalls } from '../support/calls.js';
import { messageOf } from '../support/fetch.js';
import { settles } from '../support/leaks.js';
import { flowsLent, lentFlows } from '../support/lent-flows.js';
import { NodeProcess } from '../support/processes.js';
import { rawConnect } from '../support/raw.js';
import { sparseFile, tempFolder } from '../support/temp.js';

const MIB = 2 ** 20;
/** Their buffers in the kernel, about 6 MiB each, have to fit into net.ipv4.tcp_mem: past it every connection is held up for minutes. */
const READERS = 200;
const ADDRESSES = 8;
const ZEROS = Buffer.alloc(MIB);
/** What most of them read on to; a few read to the end. All of it would be a terabyte. */
const FURTHER = 4 * MIB;
const TO_THE_END = 3;
const PATIENT = ['--stall-timeout', '3600', '--timeout', '3600', '--pump', 'splice'];
const RECEIVE_BUFFER = 64 * 1024;
const MOST_GROWTH = 32 * MIB;

/** A reader that takes zeros when it is told to, counts them, and else takes nothing. */
class Reader {
  bytes = 0;
  ended = false;
  wrong = false;
  #until = 0;
  #done: () => void = () => {};
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket.pause();
    socket.on('data', (chunk: Buffer) => {
      this.bytes += chunk.length;
      this.wrong ||= !chunk.equals(ZEROS.subarray(0, chunk.length));
      if (this.bytes < this.#until) return;
      socket.pause();
      this.#done();
    });
    socket.once('end', () => {
      this.ended = true;
      this.#done();
    });
    socket.once('close', () => this.#done());
  }

  /** Reads until it has so many bytes in all, or to the end. */
  read(until: number): Promise<void> {
    this.#until = until;
    return new Promise((resolve) => {
      this.#done = resolve;
      this.#socket.resume();
    });
  }
}

async function startReaders(t: TestContext, relay: NodeProcess, origin: NodeProcess, count: number) {
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      // One client has a fourth of a relay's connections at most.
      const socket = await rawConnect(t, relay.hop, `127.0.0.${1 + (index % ADDRESSES)}`);
      calls().setReceiveBuffer(fdOf(socket), RECEIVE_BUFFER);
      const reader = new Reader(socket);
      socket.write(messageOf('large', [origin.hop]));
      return reader;
    }),
  );
}

/** Resolves once a node has nothing to do, so that every buffer on the way is full. */
async function idle(node: NodeProcess): Promise<void> {
  let last = -1;
  let unchanged = 0;
  await settles(
    () => node.cpuTicks,
    (now) => {
      unchanged = now === last ? unchanged + 1 : 0;
      last = now;
      return unchanged > 50;
    },
    (now) => `it is still busy: ${now} ticks`,
  );
}

describe('200 readers of 1 GiB that stall at a relay', { skip: withoutCalls }, () => {
  for (const [when, first] of [
    ['at once', 0],
    ['after they were handed over', 2 * OFFLOAD_BYTES],
  ] as const) {
    test(`${when}: 32 MiB at most, and when they go on every byte comes`, async (t) => {
      const root = tempFolder(t);
      sparseFile(root, 'large', 1024 * MIB);
      const origin = await NodeProcess.start(t, { root, args: PATIENT });
      const relay = await NodeProcess.start(t, { args: PATIENT });
      const [warm] = await startReaders(t, relay, origin, 1);
      await warm?.read(Infinity);
      assert.equal(warm?.bytes, 1024 * MIB);
      const { resident } = relay.memory;
      const readers = await startReaders(t, relay, origin, READERS);
      if (first > 0) {
        await Promise.all(readers.map((reader) => reader.read(first)));
        await flowsLent(relay.pid, READERS);
      }
      await idle(relay);
      const growth = relay.memory.resident - resident;
      t.diagnostic(`${Math.round(growth / MIB)} MiB more, ${lentFlows(relay.pid)} flows lent`);
      // All of a few, and enough of the others that all buffers were emptied and filled several times.
      await Promise.all(readers.slice(TO_THE_END).map((reader) => reader.read(FURTHER)));
      await Promise.all(readers.slice(0, TO_THE_END).map((reader) => reader.read(Infinity)));
      for (const [index, { bytes, ended, wrong }] of readers.entries()) {
        assert.equal(wrong, false);
        if (index < TO_THE_END) assert.deepEqual({ bytes, ended }, { bytes: 1024 * MIB, ended: true });
        else assert.ok(bytes >= FURTHER);
      }
      assert.ok(growth <= MOST_GROWTH, `${growth} bytes more`);
    });
  }
});
