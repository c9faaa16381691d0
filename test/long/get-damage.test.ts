import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import { type ViaductError, get } from 'viaduct';
import { type Asked, type FileOrigin, fileOrigin, honestReply } from '../support/file-origin.js';
import { type Fault, faultProxy } from '../support/fault-proxy.js';
import { testChain } from '../support/nodes.js';
import { randomFile, tempFolder } from '../support/temp.js';
import { outcomeOf } from '#src/cli/exit-codes.js';
import { TRUSTED } from '../support/identity.js';
import { Scope } from '../support/scope.js';
import { type Wire, WIRES } from '../support/wires.js';

/** Downloads at the same time. */
const AT_ONCE = 16;

/** Fetches once for each number, and passes the error and the file under its final name to `check`. */
async function forEach(
  count: number,
  folder: string,
  fetch: (number: number, target: string) => Promise<unknown>,
  check: (number: number, file: Buffer | undefined, error: ViaductError | undefined) => void,
): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    for (let number = next++; number < count; number = next++) {
      const name = `file-${number}`;
      const error = await fetch(number, join(folder, name)).then(
        () => undefined,
        (reason: ViaductError) => reason,
      );
      const file = readdirSync(folder).includes(name) ? readFileSync(join(folder, name)) : undefined;
      check(number, file, error);
      for (const left of ['', '.part', '.part.json']) rmSync(join(folder, name + left), { force: true });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** Serves a file; `harm` changes the bytes of each reply. */
function harmfulOrigin(
  t: TestContext,
  wire: Wire,
  bytes: Buffer,
  harm: (reply: Buffer, asked: Asked) => Buffer,
): Promise<FileOrigin> {
  return fileOrigin(t, (socket, asked) => socket.end(harm(honestReply(bytes, asked), asked)), wire);
}

for (const wire of WIRES)
  describe(wire.name, () => {
    test('a reply of 4 KiB that is cut at any position is never saved as a file', async (t) => {
      const bytes = randomBytes(4096);
      const length = honestReply(bytes, { method: 'GET', start: 0, ifRange: undefined }).length;
      const folder = tempFolder(t);
      const origin = await harmfulOrigin(t, wire, bytes, (reply, { path }) =>
        reply.subarray(0, Number(path.slice(1))),
      );
      let failures = 0;
      await forEach(
        length,
        folder,
        (cut, target) =>
          get({ ...origin.location, path: `/${cut}` }, target, { ...wire.options, retries: 0 }),
        (cut, file, error) => {
          assert.equal(file, undefined, `cut ${cut}`);
          assert.ok(error !== undefined && outcomeOf(error).exit !== 0);
          failures += 1;
        },
      );
      assert.equal(failures, length);
    });

    test('one damaged byte at any position never results in a wrong file', async (t) => {
      const bytes = randomBytes(1000);
      const folder = tempFolder(t);
      const replyLength = honestReply(bytes, { method: 'GET', start: 0, ifRange: undefined }).length;
      let failures = 0;
      await forEach(
        replyLength,
        folder,
        async (number, target) => {
          const origin = await harmfulOrigin(t, wire, bytes, (reply, { method, start }) => {
            if (method === 'HEAD' || start > 0) return reply;
            const damaged = Buffer.from(reply);
            damaged[number] = (damaged[number] ?? 0) ^ 0x04;
            return damaged;
          });
          await get(origin.location, target, { ...wire.options, retries: 0, timeoutMs: 2000 });
        },
        (number, file, error) => {
          if (file !== undefined) assert.ok(file.equals(bytes), `byte ${number}`);
          assert.equal(file === undefined, error !== undefined, `byte ${number}: ${error?.message}`);
          if (error) failures += 1;
        },
      );
      assert.ok(failures >= bytes.length, `${failures} of ${replyLength} noticed`);
    });
  });

for (const kind of ['cut', 'corrupt'] as const) {
  // Before the reply there are the request for the tunnel, its answer, and the handshake.
  for (const [direction, length] of [
    ['up', 1400],
    ['down', 3000],
  ] as const) {
    test(`outside of TLS: ${kind} at any byte of what goes ${direction} never results in a wrong file`, async (t) => {
      const root = tempFolder(t);
      const bytes = randomFile(root, 'file', 1000);
      const { route } = await testChain(t, 2, { root, maxConnections: 2 * AT_ONCE });
      const [first, ...others] = route;
      assert.ok(first);
      const folder = tempFolder(t);
      let failures = 0;
      await forEach(
        length,
        folder,
        async (at, target) => {
          const scope = new Scope();
          const fault: Fault = { kind, direction, at };
          const { hop } = await faultProxy(scope, first, fault);
          const options = { ...TRUSTED, retries: 0, timeoutMs: 2000 };
          try {
            await get({ route: [hop, ...others], path: '/file' }, target, options);
          } finally {
            await scope.end();
          }
        },
        (at, file, error) => {
          if (file !== undefined) assert.ok(file.equals(bytes), `byte ${at}`);
          assert.equal(file === undefined, error !== undefined, `byte ${at}: ${error?.message}`);
          if (error) failures += 1;
        },
      );
      t.diagnostic(`${failures} of ${length} failed`);
      assert.ok(failures >= (direction === 'down' ? 2 * bytes.length : 500));
    });
  }
}
