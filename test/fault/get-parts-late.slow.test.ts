import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { get } from 'viaduct';
import { replyOf } from '../support/file-origin.js';
import { numbered, partsOrigin, reply } from '../support/parts-origin.js';
import { tempFolder } from '../support/temp.js';

const MIB = 1024 * 1024;

for (const { what, refuse } of [
  { what: 'that the origin refuses late, as of a file deleted meanwhile,', refuse: true },
  { what: 'that never begins', refuse: false },
])
  test(`a part ${what} is brought by the main stream`, async (t) => {
    const file = numbered(4 * MIB);
    let mains = 0;
    let main: Socket | undefined;
    const location = await partsOrigin(t, file, (asked) => {
      const { head, body } = reply(file, asked);
      if (!asked.isPart) {
        mains += 1;
        main = asked.socket;
        asked.socket.write(Buffer.concat([head, body.subarray(0, MIB)]));
        return;
      }
      // Now the main stream comes to the part before it is answered.
      main?.write(file.subarray(MIB));
      main = undefined;
      if (refuse) setTimeout(() => asked.socket.write(replyOf(404, {}, 'there is no file')), 500);
    });
    const target = join(tempFolder(t), 'file');
    await get(location, target, { plain: true, segments: 2 });
    assert.ok(readFileSync(target).equals(file));
    assert.equal(mains, 1);
  });

test('a file that is deleted when some parts have come is brought by the main stream', async (t) => {
  const file = numbered(4 * MIB);
  const gone = replyOf(404, {}, 'there is no file');
  let mains = 0;
  let main: Socket | undefined;
  const lanes: Socket[] = [];
  const location = await partsOrigin(t, file, (asked) => {
    const { socket, isPart } = asked;
    const { head, body } = reply(file, asked);
    if (!isPart) {
      mains += 1;
      main = socket;
      socket.write(Buffer.concat([head, body.subarray(0, MIB)]));
      return;
    }
    const isNew = !lanes.includes(socket);
    if (isNew) lanes.push(socket);
    const [late, other] = lanes;
    if (socket === late || other === undefined) return;
    if (!isNew) return void socket.write(gone);
    socket.write(Buffer.concat([head, body]));
    // One lane is refused after a part and leaves. The other one is refused when the main stream has come to that part.
    const goOn = (): unknown =>
      main?.write(file.subarray(MIB), () => setTimeout(() => late?.write(gone), 500));
    socket.once('close', goOn);
  });
  const target = join(tempFolder(t), 'file');
  await get(location, target, { plain: true, segments: 3 });
  assert.ok(readFileSync(target).equals(file));
  assert.deepEqual([mains, lanes.length], [1, 2]);
});

test('parts of which each takes longer to begin than a part may be silent come all the same', async (t) => {
  const file = numbered(4 * MIB);
  await Promise.all(
    [2050, 2500, 2900, 3500].map(async (beginMs) => {
      const location = await partsOrigin(t, file, (asked) => {
        const { head, body } = reply(file, asked);
        // The main stream stops.
        if (!asked.isPart) return void asked.socket.write(Buffer.concat([head, body.subarray(0, MIB)]));
        setTimeout(() => asked.socket.write(Buffer.concat([head, body])), beginMs);
      });
      const target = join(tempFolder(t), 'file');
      await get(location, target, { plain: true, segments: 3 });
      assert.ok(readFileSync(target).equals(file));
    }),
  );
});

test('a main stream that is silent is not waited for when parts have brought the rest', async (t) => {
  const file = numbered(4 * MIB);
  const location = await partsOrigin(t, file, (asked) => {
    const { head, body } = reply(file, asked);
    asked.socket.write(Buffer.concat([head, asked.isPart ? body : body.subarray(0, MIB)]));
  });
  const target = join(tempFolder(t), 'file');
  const types: string[] = [];
  await get(location, target, { plain: true, segments: 2, onEvent: ({ type }) => types.push(type) });
  assert.ok(readFileSync(target).equals(file));
  assert.ok(!types.includes('retry'), types.join());
});
