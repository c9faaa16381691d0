import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { type Route, formatHop, formatLocation } from 'viaduct';
import { request } from '#src/client/http/request.js';
import { failureOf } from '../../../support/failures.js';
import { fileOrigin, replyOf } from '../../../support/file-origin.js';
import { testChain } from '../../../support/nodes.js';
import { runInProcess } from '../../../support/program.js';
import { tempFolder } from '../../../support/temp.js';
import { type Wire, WIRES } from '../../../support/wires.js';

const BYTES = randomBytes(10_000);

/** An origin whose file is deleted after its bytes were sent, before its digest is known. */
async function deletedMeanwhile(t: TestContext, wire: Wire) {
  const { location } = await fileOrigin(
    t,
    (socket, { method }, index) => {
      if (index === 0) socket.end(replyOf(200, { ETag: '"v1"' }, BYTES));
      else {
        const field = 'NOT_FOUND;hop=1;detail="hop 1: there is no file"';
        socket.end(replyOf(404, { 'Viaduct-Error': field }, '', method));
      }
    },
    wire,
  );
  return location;
}

for (const wire of WIRES)
  describe(wire.name, () => {
    test('an error of HEAD names code and hop, as one of GET does', async (t) => {
      const { route } = await testChain(t, 3, { root: tempFolder(t) });
      const dead = { host: '127.0.0.1', port: 9 };
      const failed: readonly (readonly [Route, string, number, string])[] = [
        [route, 'NOT_FOUND', 3, 'there is no file "gone"'],
        [[...route.slice(0, 2), dead], 'PROHIBITED', 3, '--allow-hop'],
      ];
      for (const [hops, code, hopNumber, text] of failed) {
        const place = hops[hopNumber - 1];
        for (const method of ['GET', 'HEAD'] as const) {
          const error = await failureOf(request({ route: hops, path: '/gone' }, { ...wire.options, method }));
          assert.deepEqual([error.code, error.hopNumber], [code, hopNumber], method);
          assert.equal(error.hopAddress, place && formatHop(place));
          assert.ok(error.message.includes(text), error.message);
        }
      }
    });

    test('a file that is deleted at its origin after it was sent is kept, and --no-verify accepts it', async (t) => {
      const location = await deletedMeanwhile(t, wire);
      const url = formatLocation(location);
      const folder = tempFolder(t);
      for (let run = 0; run < 2; run += 1) {
        const { code, stderr } = await runInProcess(['get', ...wire.args, url], { cwd: folder });
        assert.equal(code, 22);
        const [hop] = location.route;
        assert.equal(
          stderr,
          `viaduct: hop 1 (${hop && formatHop(hop)}): there is no file; all of the file was received, but can no longer be verified ` +
            '(the same command with --no-verify accepts it); 9.77 KiB of 9.77 KiB saved in file.part\n',
        );
        assert.ok(readFileSync(join(folder, 'file.part')).equals(BYTES));
        assert.ok(!existsSync(join(folder, 'file')));
      }
      assert.equal((await runInProcess(['get', ...wire.args, '--no-verify', url], { cwd: folder })).code, 0);
      assert.ok(readFileSync(join(folder, 'file')).equals(BYTES));
      assert.ok(!existsSync(join(folder, 'file.part')));
    });
  });
