import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type Fault, faultProxy } from '../support/fault-proxy.js';
import { watchDescriptors } from '../support/leaks.js';
import { type Ending, rawConnect, rawServer, readToEnd } from '../support/raw.js';

const BYTES = Buffer.from('0123456789');

/** Ten bytes both ways, and FIN unless a reset is to be seen, which a socket that got FIN no longer looks for. */
async function through(t: TestContext, fault: Fault) {
  const open = fault.kind === 'reset' || fault.kind === 'stall';
  const send = (socket: Socket): void => void (open ? socket.write(BYTES) : socket.end(BYTES));
  let serverEnded: (ending: Ending) => void;
  const atServer = new Promise<Ending>((resolve) => (serverEnded = resolve));
  const { hop } = await rawServer(t, (socket) => {
    void readToEnd(socket).then((ending) => serverEnded(ending));
    send(socket);
  });
  const proxy = await faultProxy(t, hop, fault);
  const nothingOpen = watchDescriptors();
  const client = await rawConnect(t, proxy.hop);
  const parts: string[] = [];
  client.on('data', (chunk: Buffer) => parts.push(chunk.toString()));
  const ending = readToEnd(client);
  send(client);
  return { client, parts, ending, atServer, struck: proxy.struck, nothingOpen };
}

for (const direction of ['down', 'up'] as const) {
  /** How it ends at the side that the fault is meant for. */
  const endingOf = async (t: TestContext, fault: Fault): Promise<[string, Ending['how']]> => {
    const { ending, atServer, struck } = await through(t, { direction, ...fault });
    const { bytes, how } = await (direction === 'down' ? ending : atServer);
    await struck;
    return [bytes.toString(), how];
  };

  test(`${direction}: a cut is a FIN after as many bytes as it says`, async (t) => {
    assert.deepEqual(await endingOf(t, { kind: 'cut', at: 4 }), ['0123', 'end']);
  });

  test(`${direction}: a reset comes no later than where it is to`, async (t) => {
    const [bytes, how] = await endingOf(t, { kind: 'reset', at: 4 });
    assert.equal(how, 'reset');
    assert.ok('0123'.startsWith(bytes), bytes);
  });

  test(`${direction}: one byte is corrupted, at its place`, async (t) => {
    const { ending, atServer } = await through(t, { direction, kind: 'corrupt', at: 4 });
    const { bytes } = await (direction === 'down' ? ending : atServer);
    const expected = Buffer.from(BYTES);
    expected.writeUInt8((BYTES[4] ?? 0) ^ 0xff, 4);
    assert.deepEqual(bytes, expected);
  });

  test(`${direction}: slices, a split, a merger and slowness change no byte`, async (t) => {
    for (const fault of [
      { kind: 'slice', size: 1 },
      { kind: 'split', at: 3 },
      { kind: 'merge', size: 100 },
      { kind: 'merge', size: 2, at: 3 },
      { kind: 'slow', size: 3, everyMs: 1 },
    ] as const) {
      assert.deepEqual(await endingOf(t, fault), [BYTES.toString(), 'end'], fault.kind);
    }
  });
}

test('slices and a split are read in parts', async (t) => {
  const sliced = await through(t, { kind: 'slice', size: 1 });
  await sliced.ending;
  assert.deepEqual(sliced.parts, BYTES.toString().split(''));
  const split = await through(t, { kind: 'split', at: 3 });
  await split.ending;
  assert.deepEqual(split.parts, ['012', '3456789']);
});

test('merged bytes are read in one part', async (t) => {
  const proxied = await faultProxy(t, (await dribbling(t)).hop, { kind: 'merge', size: 100 });
  const client = await rawConnect(t, proxied.hop);
  const parts: string[] = [];
  client.on('data', (chunk: Buffer) => parts.push(chunk.toString()));
  await readToEnd(client);
  assert.deepEqual(parts, ['abc']);
});

function dribbling(t: TestContext) {
  return rawServer(t, (socket) => {
    const left = ['b', 'c'];
    const next = (): void => {
      const byte = left.shift();
      if (byte === undefined) socket.end();
      else socket.write(byte, () => setImmediate(next));
    };
    socket.resume().write('a', () => setImmediate(next));
  });
}

test('a stall lets no byte pass and ends nothing, until the client leaves', async (t) => {
  const { client, parts, atServer, struck, nothingOpen } = await through(t, { kind: 'stall', at: 4 });
  await struck;
  assert.ok(!client.readableEnded && !client.destroyed);
  client.resetAndDestroy();
  assert.ok('0123'.startsWith(parts.join('')));
  assert.equal((await atServer).how, 'reset');
  await nothingOpen();
});
